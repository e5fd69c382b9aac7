#include "collect/emulator/kernel_map.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "collect/emulator/kallsyms.h"

namespace hap::collect {
namespace {

// The x86-64 address space (Documentation/arch/x86/x86_64/mm.rst): the kernel's own mapping, then modules,
// where BPF programs and trampolines are placed too.
constexpr uint64_t kernel_begin = 0xffffffff80000000;
constexpr uint64_t modules_begin = 0xffffffffc0000000;
constexpr uint64_t modules_end = 0xffffffffff000000;
constexpr uint64_t page_size = 4096;

uint64_t parse_address(const std::string& text) {
  uint64_t address = 0;
  const size_t skip = text.substr(0, 2) == "0x" ? 2 : 0;
  std::from_chars(text.data() + skip, text.data() + text.size(), address, 16);
  return address;
}

bool is_core_text(const std::string& section) {
  return section.find(".text") != std::string::npos && section.find(".init") == std::string::npos;
}

// Since Linux 6.4 (commit ac3b43283923) a module's text has memory of its own, in pages. Its sections'
// addresses are known, not their sizes; the last symbol in it tells the last page.
uint64_t text_end(const Image& module, const std::map<std::string, std::vector<uint64_t>>& symbols) {
  uint64_t last = module.load_address;
  for (const auto& [name, address] : module.sections) {
    if (is_core_text(name)) last = std::max(last, address);
  }
  uint64_t limit = UINT64_MAX;  // the next thing of the module that is not text
  for (const auto& [name, address] : module.sections) {
    if (!is_core_text(name) && address > last) limit = std::min(limit, address);
  }
  if (const auto found = symbols.find(module.path); found != symbols.end()) {
    for (const uint64_t address : found->second) {
      if (address >= module.load_address && address < limit) last = std::max(last, address);
    }
  }
  return (last / page_size + 1) * page_size;
}

Result<std::vector<Image>> parse_modules(std::string_view text) {
  std::vector<Image> images(1);
  images[0].path = "vmlinux";
  try {
    const auto kernel = nlohmann::json::parse(text);
    images[0].build_id = kernel.value("build_id", "");
    for (const auto& row : kernel.at("modules")) {
      Image& module = images.emplace_back();
      module.kind = ImageKind::module;
      module.path = row.at("name").get<std::string>();
      module.build_id = row.value("build_id", "");
      module.load_address = parse_address(row.at("address").get<std::string>());
      if (const auto sections = row.find("sections"); sections != row.end()) {
        for (const auto& [name, address] : sections->items()) {
          module.sections[name] = parse_address(address.get<std::string>());
        }
      }
    }
  } catch (const nlohmann::json::exception& problem) {
    return Error(std::string("the description of the lab machine's kernel is damaged: ") + problem.what(),
                 ErrorKind::corrupt);
  }
  return images;
}

}  // namespace

Result<KernelMap> KernelMap::build(std::string_view description, std::string_view kallsyms) {
  HAP_TRY(images, parse_modules(description));
  HAP_TRY(symbols, Kallsyms::parse(kallsyms));
  std::map<std::string, std::vector<uint64_t>> module_symbols;
  for (const KernelSymbol& symbol : symbols.symbols()) {
    if (!symbol.module.empty()) module_symbols[symbol.module].push_back(symbol.address);
  }

  KernelMap map;
  map.images_ = std::move(images);
  map.ranges_.push_back({kernel_begin, modules_begin, 0, 0});
  for (size_t i = 1; i < map.images_.size(); ++i) {
    const Image& module = map.images_[i];
    if (module.load_address < modules_begin || module.load_address >= modules_end) {
      return Error("module " + module.path + " is at an impossible address", ErrorKind::corrupt)
          .hint("the lab's agent must read /proc/modules as root");
    }
    map.ranges_.push_back({module.load_address, text_end(module, module_symbols), i, module.load_address});
  }
  std::sort(map.ranges_.begin(), map.ranges_.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  for (size_t i = 0; i + 1 < map.ranges_.size(); ++i) {
    map.ranges_[i].end = std::min(map.ranges_[i].end, map.ranges_[i + 1].begin);
  }

  Image run_time_code;
  run_time_code.kind = ImageKind::bpf;
  run_time_code.path = "[bpf]";
  map.run_time_code_ = map.images_.size();
  map.images_.push_back(run_time_code);
  Image unresolved;
  unresolved.kind = ImageKind::other;
  unresolved.path = "[unresolved]";
  map.unresolved_ = map.images_.size();
  map.images_.push_back(unresolved);
  return map;
}

KernelMap::Place KernelMap::place(uint64_t address) const {
  auto range = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                [](uint64_t wanted, const Range& r) { return wanted < r.begin; });
  if (range != ranges_.begin() && address < (--range)->end) return {range->image, address - range->base};
  // Nothing traces the lab machine, so what else runs in the module area are BPF programs: those of cgroups
  // and seccomp filters, which the kernel compiles too.
  if (address >= modules_begin && address < modules_end) return {run_time_code_, address};
  return {unresolved_, address};
}

}  // namespace hap::collect
