#include "resolve/image_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <span>
#include <thread>

#include "resolve/frame_functions.h"
#include "resolve/go_functions.h"
#include "resolve/unit_scopes.h"

namespace hap::resolve {

namespace {

// Units are read in runs of about this many bytes of .debug_info: small enough to share among threads, large
// enough that joining the results costs little.
constexpr std::uint64_t kRunBytes = 4u << 20;

struct UnitRun {
  std::size_t first = 0;
  std::size_t last = 0;  // one behind
};

std::vector<UnitRun> split_units(const std::vector<UnitHeader>& units) {
  std::vector<UnitRun> runs;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (runs.empty() || units[i].end - units[runs.back().first].offset > kRunBytes) runs.push_back({i, i});
    runs.back().last = i + 1;
  }
  return runs;
}

std::vector<AddressRange> executable_ranges(const ElfFile& elf) {
  std::vector<AddressRange> ranges;
  for (const auto& section : elf.sections()) {
    if (section.loaded() && section.executable() && section.size != 0) {
      ranges.push_back({section.address, section.address + section.size});
    }
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.begin < b.begin; });
  return ranges;
}

// Reads all units, several at a time. Damaged units are counted and skipped: a figure with one unit less is
// better than none, and the count is in the result.
SourceFacts read_units(const DwarfSections& dwarf, const ReadRules& rules, unsigned threads,
                       const IndexProgress& progress) {
  const auto runs = split_units(dwarf.units());
  std::vector<std::unique_ptr<SourceFacts>> done(runs.size());
  std::atomic<std::size_t> next{0};
  std::mutex reporting;
  std::size_t finished = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < runs.size(); i = next++) {
      auto facts = std::make_unique<SourceFacts>();
      UnitReader reader(dwarf, rules, *facts);
      for (std::size_t unit = runs[i].first; unit < runs[i].last; ++unit) {
        if (!reader.read(unit)) ++facts->damaged_units;
      }
      const std::lock_guard lock(reporting);
      done[i] = std::move(facts);
      ++finished;
      if (progress)
        progress("debug information", static_cast<double>(finished) / static_cast<double>(runs.size()));
    }
  };
  std::vector<std::jthread> workers;
  for (unsigned i = 1; i < std::min<std::size_t>(std::max(threads, 1u), runs.size()); ++i)
    workers.emplace_back(work);
  work();
  workers.clear();
  SourceFacts all;
  for (auto& facts : done) {
    all.merge(std::move(*facts));
    facts.reset();
  }
  return all;
}

// A kernel built with absolute names: the part of them before a file that each kernel has is the source root.
// Debian 12's kernel has such names for its assembly only.
void strip_source_root(std::vector<std::string>& files, ImageKind kind) {
  static constexpr std::string_view of_hypervisor[] = {"/common/keyhandler.c"};
  static constexpr std::string_view of_kernel[] = {"/init/main.c", "/arch/x86/entry/entry_64.S"};
  const std::span<const std::string_view> anchors =
      kind == ImageKind::hypervisor ? std::span<const std::string_view>(of_hypervisor) : of_kernel;
  std::string root;
  for (const auto& path : files) {
    for (const std::string_view anchor : anchors) {
      if (path.starts_with('/') && path.ends_with(anchor))
        root = path.substr(0, path.size() - anchor.size() + 1);
    }
  }
  if (root.empty()) return;
  for (auto& path : files) {
    if (path.starts_with(root)) path.erase(0, root.size());
  }
}

std::vector<LinkedSymbol> code_symbols(const ElfFile& elf) {
  std::vector<LinkedSymbol> symbols;
  const auto add = [&](const std::vector<ElfSymbol>& from) {
    for (const auto& symbol : from) {
      if (symbol.section == 0 || symbol.section == kNoSection || symbol.name.empty()) continue;
      const auto& section = elf.sections()[symbol.section];
      if (!section.loaded() || !section.executable()) continue;
      if (symbol.type != SymbolType::none && symbol.type != SymbolType::function) continue;
      if (symbol.address < section.address || symbol.address - section.address >= section.size) continue;
      // A size that leaves the section is damage.
      const std::uint64_t room = section.size - (symbol.address - section.address);
      symbols.push_back({symbol.name, symbol.address, std::min(symbol.size, room),
                         symbol.type == SymbolType::function, symbol.global});
    }
  };
  add(elf.symbols());
  if (symbols.empty()) add(elf.dynamic_symbols());
  return symbols;
}

// What .eh_frame knows and no symbol names: "[3f2a91c0+0x1c20]", the first digits of the build id and the
// offset in the file.
Result<std::vector<FoundFunction>> unnamed_functions(const ElfFile& elf, const ReadRules& rules,
                                                     const std::string& build_id) {
  HAP_TRY(ranges, read_frame_functions(elf));
  std::vector<FoundFunction> functions;
  for (const auto& range : ranges) {
    const auto offset = elf.file_offset(range.begin);
    if (!offset || !rules.is_code(range.begin) || !rules.is_code(range.end - 1)) continue;
    // The prefix that tells how an identity was made is not part of it.
    const std::string identity = build_id.substr(build_id.starts_with("sha256-") ? 7 : 0, 8);
    FoundFunction function;
    function.name = fmt::format("[{}+{:#x}]", identity, *offset);
    function.begin = range.begin;
    function.end = range.end;
    functions.push_back(std::move(function));
  }
  return functions;
}

std::string default_name(const std::string& path, ImageKind kind) {
  std::string name = std::filesystem::path(path).filename().string();
  if (kind == ImageKind::kernel) return "vmlinux";
  if (kind == ImageKind::hypervisor) return "xen";
  if (kind != ImageKind::module) return name;
  const auto dot = name.find(".ko");
  if (dot != std::string::npos) name.resize(dot);
  std::replace(name.begin(), name.end(), '-', '_');  // as /proc/modules has it
  return name;
}

}  // namespace

Result<ImageCode> read_image(const ElfInputs& inputs, const IndexProgress& progress) {
  ImageCode image;
  HAP_TRY(code, ElfFile::open(inputs.elf));
  image.code = std::make_unique<ElfFile>(std::move(code));
  if (!inputs.debug_file.empty()) {
    HAP_TRY(debug, ElfFile::open(inputs.debug_file));
    if (debug.build_id() != image.code->build_id()) {
      return Error("the debug file belongs to another build").at(inputs.debug_file);
    }
    image.debug = std::make_unique<ElfFile>(std::move(debug));
  }
  const ElfFile& debug = image.debug ? *image.debug : *image.code;
  HAP_TRY(build_id, read_build_id(inputs.elf));

  if (progress) progress("debug information", 0);
  HAP_TRY(dwarf, DwarfSections::load(debug));
  image.dwarf = std::make_unique<DwarfSections>(std::move(dwarf));
  const bool dwarf_is_empty = image.dwarf->units().empty();
  ReadRules rules;
  rules.executable = executable_ranges(*image.code);
  rules.kernel_paths = inputs.kind != ImageKind::user;
  SourceFacts facts = read_units(*image.dwarf, rules, inputs.threads, progress);
  if (dwarf_is_empty && inputs.kind == ImageKind::user) {
    // A damaged table leaves the functions found before the damage; the rest is known by its bytes only.
    if (!read_go_functions(*image.code, facts)) ++facts.damaged_units;
  }
  if (rules.kernel_paths) strip_source_root(facts.files, inputs.kind);

  auto symbols = code_symbols(*image.code);
  if (image.debug) {
    auto more = code_symbols(debug);
    if (more.size() > symbols.size()) symbols = std::move(more);
  }
  std::vector<FoundFunction> unnamed;
  if (inputs.kind == ImageKind::user) {
    HAP_TRY(found, unnamed_functions(*image.code, rules, build_id));
    unnamed = std::move(found);
  }
  image.model = make_model(std::move(facts), std::move(symbols), std::move(unnamed), build_id);
  image.model.kind = inputs.kind;
  image.model.image_name =
      inputs.image_name.empty() ? default_name(inputs.elf, inputs.kind) : inputs.image_name;
  image.model.base = rules.executable.empty() ? 0 : rules.executable.front().begin;
  for (const auto& section : image.code->sections()) {
    if (section.loaded() && section.executable() && section.size != 0) {
      image.model.sections.push_back({section.name, section.address, section.size});
    }
  }
  return image;
}

void to_file_offsets(ImageCode& image) {
  const ElfFile& elf = *image.code;
  CodeModel& model = image.model;
  // Code outside every loaded segment never runs; its pieces are dropped.
  const auto move = [&](std::uint64_t& begin, std::uint64_t& end) {
    const auto offset = elf.file_offset(begin);
    const std::uint64_t size = end - begin;
    begin = offset.value_or(0);
    end = offset ? begin + size : begin;
  };
  const auto move_all = [&](auto& pieces) {
    for (auto& piece : pieces) move(piece.begin, piece.end);
    std::erase_if(pieces, [](const auto& piece) { return piece.end == piece.begin; });
    std::sort(pieces.begin(), pieces.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  };
  move_all(model.segments);
  move_all(model.lines);
  for (auto& function : model.functions) move_all(function.ranges);
  const auto move_point = [&](std::uint64_t& address) {
    const auto offset = elf.file_offset(address);
    address = offset.value_or(0);
    return offset.has_value();
  };
  std::erase_if(model.symbols, [&](LinkedSymbol& symbol) { return !move_point(symbol.address); });
  std::stable_sort(model.symbols.begin(), model.symbols.end(),
                   [](const LinkedSymbol& a, const LinkedSymbol& b) { return a.address < b.address; });
  std::erase_if(model.sections, [&](SectionView& section) { return !move_point(section.offset); });
  model.base = 0;
}

}  // namespace hap::resolve
