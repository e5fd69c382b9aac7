// Index: opening with all checks, and the queries. See index_format.h for the layout.
#include <algorithm>
#include <cstring>

#include "base/digest.h"
#include "base/mapped_file.h"
#include "hap/resolver.h"
#include "resolve/index_format.h"
#include "resolve/index_tables.h"

namespace hap {

using resolve::kNone;

struct Index::Impl {
  MappedFile map;
  resolve::IndexTables tables;
};

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

Result<Index> Index::open(const std::string& path) {
  HAP_TRY(map, MappedFile::open(path));
  auto tables = resolve::IndexTables::check(map.bytes());
  if (!tables) {
    return Error(tables.error().message())
        .at(path)
        .of_kind(ErrorKind::corrupt)
        .hint("remove the file and run the command again to build it anew");
  }
  return Index(std::unique_ptr<Impl>(new Impl{std::move(map), *tables}));
}

std::string_view Index::build_id() const {
  return impl_->tables.header->build_id.data();
}
ImageKind Index::kind() const {
  return static_cast<ImageKind>(impl_->tables.header->kind);
}
std::string_view Index::image_name() const {
  return impl_->tables.header->image_name.data();
}

IndexStats Index::stats() const {
  const auto& tables = impl_->tables;
  IndexStats stats;
  stats.build_id = build_id();
  stats.functions = tables.functions.size();
  for (const auto& function : tables.functions) {
    stats.out_of_line += (function.flags & resolve::kOutOfLine) != 0 ? 1 : 0;
    stats.with_complexity += function.complexity != 0 ? 1 : 0;
  }
  stats.line_rows = tables.line_rows.size();
  stats.lines = tables.lines.size();
  stats.inline_instances = tables.header->inline_instances;
  stats.files = tables.files.size();
  stats.symbols = tables.symbols.size();
  stats.call_edges = tables.callees.size() + tables.imports.size();
  stats.file_bytes = impl_->map.size();
  stats.seconds = static_cast<double>(tables.header->build_milliseconds) / 1000;
  return stats;
}

bool Index::verify() const {
  const auto bytes = impl_->map.bytes().subspan(sizeof(resolve::FileHeader));
  const std::string digest =
      sha256_hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  const auto& stored = impl_->tables.header->digest;
  return digest == std::string_view(stored.data(), stored.size());
}

namespace {

template <typename T>
void sort_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

void Index::resolve_range(std::uint64_t address, std::uint64_t size, RangeResolution& out) const {
  out.functions.clear();
  out.inlined.clear();
  out.lines.clear();
  out.resolved_bytes = 0;
  out.unresolved_bytes = size;
  const auto& tables = impl_->tables;
  const std::uint64_t base = tables.header->base;
  const std::uint64_t begin = std::max(address, base);
  const std::uint64_t end = size > ~std::uint64_t{0} - address ? ~std::uint64_t{0} : address + size;
  if (end <= begin || begin - base >= kNone) return;

  // Walk the scope segments and the line rows side by side: each piece on which both are constant is one hit.
  const std::uint64_t last = std::min<std::uint64_t>(end - base, kNone);
  std::uint64_t position = begin - base;
  auto segment = tables.row_before(tables.segments, position);
  auto row = tables.row_before(tables.line_rows, position);
  while (position < last) {
    const std::uint64_t segment_end = std::min(last, tables.row_end(tables.segments, segment));
    const std::uint64_t row_end = std::min(last, tables.row_end(tables.line_rows, row));
    const std::uint64_t next = std::min(segment_end, row_end);
    const std::uint32_t node = tables.row_value(tables.segments, segment);
    const std::uint32_t line = tables.row_value(tables.line_rows, row);
    FunctionId innermost = kNoId;
    if (node != kNone) {
      innermost = tables.nodes[node].function;
      out.resolved_bytes += next - position;
      std::uint32_t at = node;
      for (; tables.nodes[at].parent != kNone; at = tables.nodes[at].parent) {
        out.inlined.push_back(tables.nodes[at].function);
      }
      out.functions.push_back(tables.nodes[at].function);
    }
    if (line != kNone) out.lines.push_back({line, innermost});
    position = next;
    if (next == segment_end) ++segment;
    if (next == row_end) ++row;
  }
  out.unresolved_bytes = size - out.resolved_bytes;
  sort_unique(out.functions);
  sort_unique(out.inlined);
  std::sort(out.lines.begin(), out.lines.end(), [](const LineHit& a, const LineHit& b) {
    return a.line != b.line ? a.line < b.line : a.function < b.function;
  });
  out.lines.erase(std::unique(out.lines.begin(), out.lines.end(),
                              [](const LineHit& a, const LineHit& b) {
                                return a.line == b.line && a.function == b.function;
                              }),
                  out.lines.end());
}

std::vector<Frame> Index::frames_at(std::uint64_t address) const {
  std::vector<Frame> frames;
  const auto& tables = impl_->tables;
  const std::uint64_t base = tables.header->base;
  if (address < base || address - base >= kNone) return frames;
  const std::uint32_t row =
      tables.row_value(tables.line_rows, tables.row_before(tables.line_rows, address - base));
  std::uint32_t node = tables.row_value(tables.segments, tables.row_before(tables.segments, address - base));
  SourceLine at = row == kNone ? SourceLine{} : line(row);
  while (node != kNone) {
    const auto& entry = tables.nodes[node];
    frames.push_back({entry.function, at});
    at = entry.call_line == kNone ? SourceLine{} : line(entry.call_line);
    node = entry.parent;
  }
  return frames;
}

std::size_t Index::function_count() const {
  return impl_->tables.functions.size();
}

FunctionView Index::function(FunctionId id) const {
  const auto& tables = impl_->tables;
  FunctionView view;
  if (id >= tables.functions.size()) return view;
  const auto& entry = tables.functions[id];
  view.name = tables.text(entry.name);
  view.symbol = tables.text(entry.symbol);
  view.file_id = entry.file;
  if (entry.file != kNone) view.file = file(entry.file);
  view.line = entry.line;
  view.end_line = entry.end_line;
  if (entry.line != 0 && entry.end_line >= entry.line) view.lines = entry.end_line - entry.line + 1;
  view.size = entry.size;
  view.out_of_line = (entry.flags & resolve::kOutOfLine) != 0;
  view.inlined = (entry.flags & resolve::kInlined) != 0;
  view.assembly = (entry.flags & resolve::kAssembly) != 0;
  if (entry.complexity != 0) view.complexity = entry.complexity;
  return view;
}

std::vector<CodeRange> Index::ranges(FunctionId id) const {
  std::vector<CodeRange> ranges;
  const auto& tables = impl_->tables;
  const std::uint64_t base = tables.header->base;
  for (const auto& range : tables.of_function(id, tables.ranges, &resolve::FunctionEntry::first_range)) {
    ranges.push_back({base + range.begin, base + range.end});
  }
  return ranges;
}

std::vector<FunctionId> Index::find_functions(std::string_view name) const {
  std::vector<FunctionId> found;
  const auto& tables = impl_->tables;
  auto at = std::lower_bound(tables.functions_by_name.begin(), tables.functions_by_name.end(), name,
                             [&](std::uint32_t id, std::string_view wanted) {
                               return tables.text(tables.functions[id].name) < wanted;
                             });
  for (; at != tables.functions_by_name.end() && tables.text(tables.functions[*at].name) == name; ++at) {
    found.push_back(*at);
  }
  auto symbol = std::lower_bound(tables.symbols_by_name.begin(), tables.symbols_by_name.end(), name,
                                 [&](std::uint32_t id, std::string_view wanted) {
                                   return tables.text(tables.symbols[id].name) < wanted;
                                 });
  for (; symbol != tables.symbols_by_name.end() && tables.text(tables.symbols[*symbol].name) == name;
       ++symbol) {
    const std::uint64_t address = tables.symbols[*symbol].address;
    std::uint32_t node = tables.row_value(tables.segments, tables.row_before(tables.segments, address));
    if (node == kNone) continue;
    while (tables.nodes[node].parent != kNone) node = tables.nodes[node].parent;
    found.push_back(tables.nodes[node].function);
  }
  sort_unique(found);
  return found;
}

std::size_t Index::line_count() const {
  return impl_->tables.lines.size();
}

SourceLine Index::line(LineId id) const {
  const auto& lines = impl_->tables.lines;
  if (id >= lines.size()) return {};
  return {lines[id].file, lines[id].line};
}

std::size_t Index::file_count() const {
  return impl_->tables.files.size();
}

std::string_view Index::file(FileId id) const {
  const auto& tables = impl_->tables;
  return id < tables.files.size() ? tables.text(tables.files[id]) : std::string_view{};
}

std::vector<std::uint32_t> Index::code_lines(FileId id) const {
  std::vector<std::uint32_t> numbers;
  const auto& lines = impl_->tables.lines;
  auto at = std::lower_bound(lines.begin(), lines.end(), id,
                             [](const resolve::LineEntry& entry, FileId file) { return entry.file < file; });
  for (; at != lines.end() && at->file == id; ++at) numbers.push_back(at->line);
  return numbers;
}

std::optional<SymbolView> Index::find_symbol(std::string_view name) const {
  const auto& tables = impl_->tables;
  const auto at = std::lower_bound(tables.symbols_by_name.begin(), tables.symbols_by_name.end(), name,
                                   [&](std::uint32_t id, std::string_view wanted) {
                                     return tables.text(tables.symbols[id].name) < wanted;
                                   });
  if (at == tables.symbols_by_name.end()) return std::nullopt;
  const auto& symbol = tables.symbols[*at];
  if (tables.text(symbol.name) != name) return std::nullopt;
  return SymbolView{tables.text(symbol.name), tables.header->base + symbol.address, symbol.size};
}

std::optional<SymbolView> Index::symbol_at(std::uint64_t address) const {
  const auto& tables = impl_->tables;
  const std::uint64_t base = tables.header->base;
  if (address < base || address - base >= kNone) return std::nullopt;
  const auto distance = static_cast<std::uint32_t>(address - base);
  auto after = std::upper_bound(
      tables.symbols.begin(), tables.symbols.end(), distance,
      [](std::uint32_t value, const resolve::SymbolEntry& symbol) { return value < symbol.address; });
  if (after == tables.symbols.begin()) return std::nullopt;
  // Aliases share an address; the preferred one comes first.
  const std::uint32_t start = std::prev(after)->address;
  while (after != tables.symbols.begin() && std::prev(after)->address == start) --after;
  if (after->size != 0 && distance - after->address >= after->size) return std::nullopt;
  return SymbolView{tables.text(after->name), base + after->address, after->size};
}

std::vector<SectionView> Index::sections() const {
  std::vector<SectionView> sections;
  const auto& tables = impl_->tables;
  for (const auto& section : tables.sections) {
    sections.push_back({tables.text(section.name), tables.header->base + section.address, section.size});
  }
  return sections;
}

std::vector<FunctionId> Index::callees(FunctionId id) const {
  const auto& tables = impl_->tables;
  const auto callees = tables.of_function(id, tables.callees, &resolve::FunctionEntry::first_callee);
  return {callees.begin(), callees.end()};
}

std::vector<std::string_view> Index::imported_callees(FunctionId id) const {
  std::vector<std::string_view> names;
  const auto& tables = impl_->tables;
  for (const auto name : tables.of_function(id, tables.imports, &resolve::FunctionEntry::first_import)) {
    names.push_back(tables.text(name));
  }
  return names;
}

std::vector<std::pair<std::uint32_t, FunctionId>> Index::syscall_entries() const {
  std::vector<std::pair<std::uint32_t, FunctionId>> entries;
  for (const auto& entry : impl_->tables.syscalls) entries.emplace_back(entry.number, entry.function);
  return entries;
}

}  // namespace hap
