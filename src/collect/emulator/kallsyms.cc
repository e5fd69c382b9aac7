#include "collect/emulator/kallsyms.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

namespace hap::collect {
namespace {

std::string_view take_word(std::string_view& line) {
  const size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
  line.remove_prefix(begin);
  const size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

bool is_whole_clone(std::string_view suffix) {
  if (suffix.find(".cold") != suffix.npos || suffix.find(".part") != suffix.npos) return false;
  return suffix.substr(0, 11) == ".constprop." || suffix.substr(0, 6) == ".isra.";
}

}  // namespace

Result<Kallsyms> Kallsyms::parse(std::string_view text) {
  Kallsyms table;
  bool any_address = false;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const std::string_view address = take_word(line);
    const std::string_view type = take_word(line);
    const std::string_view name = take_word(line);
    std::string_view module = take_word(line);
    KernelSymbol symbol;
    const auto parsed = std::from_chars(address.data(), address.data() + address.size(), symbol.address, 16);
    if (parsed.ec != std::errc() || parsed.ptr != address.data() + address.size() || type.size() != 1 ||
        name.empty()) {
      return Error("not a kernel symbol table (line " + std::to_string(number) + ")", ErrorKind::corrupt);
    }
    if (module.size() > 2) module = module.substr(1, module.size() - 2);
    any_address |= symbol.address != 0;
    symbol.name = name;
    symbol.type = type[0];
    symbol.module = module;
    table.symbols_.push_back(std::move(symbol));
  }
  if (!any_address) {
    return Error("the kernel symbol table has no addresses", ErrorKind::unsupported)
        .hint("read /proc/kallsyms as root, with kernel.kptr_restrict below 2");
  }
  std::stable_sort(table.symbols_.begin(), table.symbols_.end(),
                   [](const KernelSymbol& a, const KernelSymbol& b) { return a.address < b.address; });
  table.join_parts();
  return table;
}

// A part (NAME.cold, NAME.isra.0) belongs to the function NAME of the same module when there is exactly one
// of that name, otherwise to the parts of its own name.
void Kallsyms::join_parts() {
  std::unordered_map<std::string, std::vector<uint64_t>> by_name;
  const auto key = [](const KernelSymbol& symbol) {
    return symbol.module + ":" + symbol.name.substr(0, symbol.name.find('.', 1));
  };
  for (const KernelSymbol& symbol : symbols_) {
    if (symbol.name.find('.', 1) == symbol.name.npos) by_name[key(symbol)].push_back(symbol.address);
  }
  for (const KernelSymbol& symbol : symbols_) {
    auto& wholes = by_name[key(symbol)];
    const bool part = symbol.name.find('.', 1) != symbol.name.npos;
    if (part && wholes.empty()) wholes.push_back(symbol.address);
    whole_.push_back(part && wholes.size() == 1 ? wholes.front() : symbol.address);
  }
}

std::optional<uint64_t> Kallsyms::function_at(uint64_t address, uint64_t farthest) const {
  const auto after =
      std::upper_bound(symbols_.begin(), symbols_.end(), address,
                       [](uint64_t at, const KernelSymbol& symbol) { return at < symbol.address; });
  if (after == symbols_.begin()) return std::nullopt;
  // Several names of one place: the first of them stands for it.
  const uint64_t begin = std::prev(after)->address;
  if (address - begin >= farthest) return std::nullopt;
  const auto first =
      std::lower_bound(symbols_.begin(), after, begin,
                       [](const KernelSymbol& symbol, uint64_t at) { return symbol.address < at; });
  return whole_[static_cast<size_t>(first - symbols_.begin())];
}

std::optional<uint64_t> Kallsyms::address(std::string_view name) const {
  for (const KernelSymbol& symbol : symbols_) {
    if (symbol.name == name) return symbol.address;
  }
  return std::nullopt;
}

std::vector<SymbolRange> Kallsyms::functions(std::string_view name) const {
  std::vector<SymbolRange> found;
  for (size_t i = 0; i < symbols_.size(); ++i) {
    const std::string_view candidate = symbols_[i].name;
    if (candidate.substr(0, name.size()) != name) continue;
    const std::string_view suffix = candidate.substr(name.size());
    if (suffix.empty() || is_whole_clone(suffix)) found.push_back(range_of(i));
  }
  return found;
}

std::vector<KernelSymbol> Kallsyms::with_prefix(std::string_view prefix) const {
  std::vector<KernelSymbol> found;
  for (const KernelSymbol& symbol : symbols_) {
    if (std::string_view(symbol.name).substr(0, prefix.size()) == prefix) found.push_back(symbol);
  }
  return found;
}

SymbolRange Kallsyms::range_of(size_t index) const {
  const uint64_t begin = symbols_[index].address;
  size_t next = index;
  while (next < symbols_.size() && symbols_[next].address == begin) ++next;
  return {begin, next < symbols_.size() ? symbols_[next].address : begin + 1};
}

}  // namespace hap::collect
