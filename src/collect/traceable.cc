#include "collect/traceable.h"

#include <sys/vfs.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/file.h"

namespace hap::collect {
namespace {

constexpr long tracefs_magic = 0x74726163;
constexpr std::string_view invalid_entry = "__ftrace_invalid_address__";
// Between a function's symbol and its traced instruction: endbr64, or patchable padding before it.
constexpr uint64_t largest_entry_offset = 16;

struct Line {
  uint64_t call_site = 0;
  std::string_view name;
  std::string_view module;
};

// "[ADDRESS ]NAME[ [MODULE]]"
bool parse_line(std::string_view text, Line& line) {
  const size_t space = text.find(' ');
  if (space == 16 && text.find_first_not_of("0123456789abcdef") >= 16) {
    const auto parsed = std::from_chars(text.data(), text.data() + 16, line.call_site, 16);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + 16) return false;
    text.remove_prefix(17);
  }
  const size_t bracket = text.find(" [");
  line.name = text.substr(0, bracket);
  if (bracket != std::string_view::npos) {
    line.module = text.substr(bracket + 2);
    if (line.module.empty() || line.module.back() != ']') return false;
    line.module.remove_suffix(1);
  }
  return !line.name.empty() && line.name.find(' ') == std::string_view::npos;
}

class Placer {
 public:
  explicit Placer(const Kallsyms& symbols) : symbols_(symbols.symbols()) {}

  // With the address of the traced instruction known: the nearest symbol at or before it, by that name if
  // several share the address.
  uint64_t by_call_site(const Line& line) const {
    auto after =
        std::upper_bound(symbols_.begin(), symbols_.end(), line.call_site,
                         [](uint64_t address, const KernelSymbol& s) { return address < s.address; });
    uint64_t nearest = 0;
    while (after != symbols_.begin()) {
      --after;
      if (line.call_site - after->address > largest_entry_offset) break;
      if (after->name == line.name) return after->address;
      if (nearest == 0) nearest = after->address;
    }
    return nearest;
  }

  // Prepares candidates().
  void index_names() {
    by_name_.reserve(symbols_.size());
    for (const KernelSymbol& symbol : symbols_) by_name_[symbol.name].push_back(&symbol);
  }

  // All addresses of that name in that module, ascending.
  std::vector<uint64_t> candidates(const Line& line) const {
    std::vector<uint64_t> addresses;
    const auto found = by_name_.find(line.name);
    if (found == by_name_.end()) return addresses;
    for (const KernelSymbol* symbol : found->second) {
      if (symbol->module == line.module) addresses.push_back(symbol->address);
    }
    return addresses;
  }

 private:
  const std::vector<KernelSymbol>& symbols_;
  std::unordered_map<std::string_view, std::vector<const KernelSymbol*>> by_name_;
};

// Names that occur once are fixed points; the others lie between their neighbours, since the list goes by
// address within one module (and within the kernel, init code apart).
void place_by_order(const Placer& placer, const std::vector<Line>& lines,
                    std::vector<TraceableFunction>& functions) {
  std::vector<uint64_t> next_fixed(lines.size(), UINT64_MAX);
  uint64_t fixed = UINT64_MAX;
  for (size_t i = lines.size(); i-- > 0;) {
    if (i + 1 < lines.size() && lines[i].module != lines[i + 1].module) fixed = UINT64_MAX;
    next_fixed[i] = fixed;
    const auto found = placer.candidates(lines[i]);
    if (found.size() == 1 && found.front() < fixed) fixed = found.front();
  }
  uint64_t previous = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0 && lines[i].module != lines[i - 1].module) previous = 0;
    const auto found = placer.candidates(lines[i]);
    if (found.size() == 1) {
      functions[i].address = previous = found.front();
      continue;
    }
    const auto after = std::upper_bound(found.begin(), found.end(), previous);
    if (after == found.end() || *after >= next_fixed[i]) continue;
    functions[i].address = previous = *after;
  }
}

}  // namespace

Result<TraceableList> parse_traceable(std::string_view list, const Kallsyms& symbols) {
  std::vector<Line> lines;
  for (size_t number = 1; !list.empty(); ++number) {
    const size_t end = std::min(list.find('\n'), list.size());
    Line line;
    if (!parse_line(list.substr(0, end), line)) {
      return Error("not a list of traceable functions (line " + std::to_string(number) + ")",
                   ErrorKind::corrupt);
    }
    lines.push_back(line);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  Placer placer(symbols);
  std::vector<TraceableFunction> functions(lines.size());
  bool addresses = !lines.empty();
  for (size_t i = 0; i < lines.size(); ++i) {
    functions[i].record = static_cast<uint32_t>(i + 1);
    functions[i].name = lines[i].name;
    functions[i].module = lines[i].module;
    functions[i].call_site = lines[i].call_site;
    addresses = addresses && lines[i].call_site != 0;
    if (lines[i].call_site != 0) functions[i].address = placer.by_call_site(lines[i]);
  }
  if (!addresses) {
    placer.index_names();
    place_by_order(placer, lines, functions);
  }
  TraceableList result;
  for (TraceableFunction& function : functions) {
    if (function.name.substr(0, invalid_entry.size()) == invalid_entry) continue;
    if (function.address == 0) {
      result.unplaced.push_back(function.name);
    } else {
      result.functions.push_back(std::move(function));
    }
  }
  return result;
}

Result<TraceableList> read_traceable(const std::string& tracefs, const Kallsyms& symbols) {
  auto list = read_file(tracefs + "/available_filter_functions_addrs");
  if (!list) list = read_file(tracefs + "/available_filter_functions");
  if (!list) return list.error().context("reading which functions can be traced");
  return parse_traceable(*list, symbols);
}

std::vector<uint64_t> untraceable(const Kallsyms& symbols, const std::vector<TraceableFunction>& traceable) {
  std::unordered_set<uint64_t> known;
  for (const TraceableFunction& function : traceable) known.insert(function.address);
  const uint64_t text_begin = symbols.address("_stext").value_or(0);
  const uint64_t text_end = symbols.address("_etext").value_or(0);
  std::vector<uint64_t> missing;
  for (const KernelSymbol& symbol : symbols.symbols()) {
    const std::string_view name = symbol.name;
    const bool code = std::string_view("tTwW").find(symbol.type) != std::string_view::npos;
    const bool placed = symbol.module.empty() ? symbol.address >= text_begin && symbol.address < text_end
                                              : symbol.module != "bpf" && symbol.module.substr(0, 2) != "__";
    const bool part = name.substr(0, 6) == "__pfx_" || name.find(".cold") != std::string_view::npos;
    if (!code || !placed || part || !known.insert(symbol.address).second) continue;
    missing.push_back(symbol.address);
  }
  return missing;
}

Result<std::string> find_tracefs() {
  for (const char* place : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    struct statfs status {};
    if (::statfs(place, &status) == 0 && status.f_type == tracefs_magic) return std::string(place);
  }
  return Error("tracefs is not mounted", ErrorKind::unsupported)
      .at("/sys/kernel/tracing")
      .hint(
          "mount it: mount -t tracefs tracefs /sys/kernel/tracing; in a container, mount the host's folder "
          "of that name into it");
}

}  // namespace hap::collect
