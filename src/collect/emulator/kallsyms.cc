#include "collect/emulator/kallsyms.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

namespace hap::collect {
namespace {

bool is_space(char character) {
  return character == ' ' || character == '\t';
}

std::string_view take_word(std::string_view& line) {
  size_t begin = 0;
  while (begin < line.size() && is_space(line[begin])) ++begin;
  size_t end = begin;
  while (end < line.size() && !is_space(line[end])) ++end;
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

// Positions in the order of addresses, equal ones in that of the table: symbols are large to move about.
std::vector<size_t> by_address(const std::vector<KernelSymbol>& symbols) {
  std::vector<std::pair<uint64_t, size_t>> order;
  order.reserve(symbols.size());
  for (size_t i = 0; i < symbols.size(); ++i) order.emplace_back(symbols[i].address, i);
  if (!std::is_sorted(order.begin(), order.end())) std::sort(order.begin(), order.end());
  std::vector<size_t> positions;
  positions.reserve(order.size());
  for (const auto& [address, position] : order) positions.push_back(position);
  return positions;
}

// Where the name of a part ends to be that of the whole; npos for those that are no parts.
size_t end_of_stem(std::string_view name) {
  return name.find('.', 1);
}

struct Stem {
  std::string_view module;
  std::string_view name;
  bool operator==(const Stem&) const = default;
};
struct StemHash {
  size_t operator()(const Stem& stem) const {
    const std::hash<std::string_view> hash;
    return hash(stem.name) * 31 + hash(stem.module);
  }
};

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
  std::vector<KernelSymbol> sorted;
  sorted.reserve(table.symbols_.size());
  for (const size_t position : by_address(table.symbols_)) {
    sorted.push_back(std::move(table.symbols_[position]));
  }
  table.symbols_ = std::move(sorted);
  table.join_parts();
  return table;
}

// A part (NAME.cold, NAME.isra.0) belongs to the function NAME of the same module when there is exactly one
// of that name, otherwise to the parts of its own name.
void Kallsyms::join_parts() {
  std::unordered_map<Stem, std::vector<uint64_t>, StemHash> wholes;  // of names that have parts
  for (const KernelSymbol& symbol : symbols_) {
    const size_t end = end_of_stem(symbol.name);
    if (end != std::string::npos) wholes[{symbol.module, std::string_view(symbol.name).substr(0, end)}];
  }
  for (const KernelSymbol& symbol : symbols_) {
    if (end_of_stem(symbol.name) != std::string::npos) continue;
    const auto found = wholes.find({symbol.module, symbol.name});
    if (found != wholes.end()) found->second.push_back(symbol.address);
  }
  whole_.reserve(symbols_.size());
  for (const KernelSymbol& symbol : symbols_) {
    const size_t end = end_of_stem(symbol.name);
    whole_.push_back(symbol.address);
    if (end == std::string::npos) continue;
    auto& known = wholes[{symbol.module, std::string_view(symbol.name).substr(0, end)}];
    if (known.empty()) known.push_back(symbol.address);
    if (known.size() == 1) whole_.back() = known.front();
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
