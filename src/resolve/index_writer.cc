#include "resolve/index_writer.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <unordered_map>

#include "base/digest.h"
#include "base/file.h"
#include "resolve/index_format.h"

namespace hap::resolve {

namespace {

template <std::size_t N>
void copy_text(std::array<char, N>& to, const std::string& from) {
  std::memcpy(to.data(), from.data(), std::min(from.size(), N - 1));
}

class StringTable {
 public:
  std::uint32_t add(std::string_view text) {
    if (text.empty()) return 0;
    const auto [entry, added] = offsets_.try_emplace(text, static_cast<std::uint32_t>(bytes_.size()));
    if (added) {
      bytes_ += text;
      bytes_ += '\0';
    }
    return entry->second;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_ = std::string(1, '\0');
  std::unordered_map<std::string_view, std::uint32_t> offsets_;  // views of the model's own strings
};

// All (file, line) pairs, numbered in order.
class LineNumbers {
 public:
  explicit LineNumbers(const CodeModel& model) {
    pairs_.reserve(model.lines.size() + model.nodes.size());
    for (const auto& segment : model.lines) {
      if (segment.file != kNone) pairs_.push_back({segment.file, segment.line});
    }
    for (const auto& node : model.nodes) {
      if (node.call_file != kNone && node.call_line != 0) pairs_.push_back({node.call_file, node.call_line});
    }
    const auto less = [](const LineEntry& a, const LineEntry& b) {
      return a.file != b.file ? a.file < b.file : a.line < b.line;
    };
    std::sort(pairs_.begin(), pairs_.end(), less);
    pairs_.erase(std::unique(pairs_.begin(), pairs_.end(),
                             [](const LineEntry& a, const LineEntry& b) {
                               return a.file == b.file && a.line == b.line;
                             }),
                 pairs_.end());
    starts_.assign(model.files.size() + 1, 0);
    for (const auto& pair : pairs_) ++starts_[pair.file + 1];
    for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
  }

  std::uint32_t of(std::uint32_t file, std::uint32_t line) const {
    if (file == kNone || line == 0) return kNone;
    const auto begin = pairs_.begin() + starts_[file];
    const auto end = pairs_.begin() + starts_[file + 1];
    const auto at = std::lower_bound(
        begin, end, line, [](const LineEntry& pair, std::uint32_t value) { return pair.line < value; });
    return at == end || at->line != line ? kNone : static_cast<std::uint32_t>(at - pairs_.begin());
  }
  const std::vector<LineEntry>& pairs() const { return pairs_; }

 private:
  std::vector<LineEntry> pairs_;
  std::vector<std::uint32_t> starts_;  // per file
};

class Writer {
 public:
  explicit Writer(const CodeModel& model) : model_(model), numbers_(model) {}

  Status prepare() {
    std::uint64_t highest = model_.base;
    for (const auto& segment : model_.segments) highest = std::max(highest, segment.end);
    for (const auto& segment : model_.lines) highest = std::max(highest, segment.end);
    for (const auto& symbol : model_.symbols) highest = std::max(highest, symbol.address);
    if (highest - model_.base >= kNone) {
      return Error("the code of the image spans 4 GiB or more").of_kind(ErrorKind::unsupported);
    }
    return {};
  }

  std::string build(double seconds, IndexStats& stats) {
    FileHeader header;
    header.magic = kIndexMagic;
    header.version = kIndexVersion;
    header.kind = static_cast<std::uint32_t>(model_.kind);
    header.base = model_.base;
    copy_text(header.build_id, model_.build_id);
    copy_text(header.image_name, model_.image_name);
    header.inline_instances = model_.inline_instances;
    header.build_milliseconds = static_cast<std::uint64_t>(seconds * 1000);
    make_tables();
    out_.assign(sizeof(FileHeader), '\0');
    for (std::uint32_t id = 0; id < kTableCount; ++id) {
      out_.resize((out_.size() + 7) / 8 * 8, '\0');
      header.tables[id] = {out_.size(), tables_[id].count};
      out_ += tables_[id].bytes;
    }
    header.file_size = out_.size();
    const std::string digest = sha256_hex(std::string_view(out_).substr(sizeof(FileHeader)));
    std::memcpy(header.digest.data(), digest.data(), header.digest.size());
    std::memcpy(out_.data(), &header, sizeof(header));
    stats = count();
    stats.file_bytes = out_.size();
    stats.seconds = seconds;
    return std::move(out_);
  }

 private:
  struct Table {
    std::string bytes;
    std::uint64_t count = 0;
  };

  template <typename T>
  void put(TableId id, const T& entry) {
    static_assert(std::is_trivially_copyable_v<T>);
    tables_[id].bytes.append(reinterpret_cast<const char*>(&entry), sizeof(T));
    ++tables_[id].count;
  }

  std::uint32_t distance(std::uint64_t address) const {
    return static_cast<std::uint32_t>(address - model_.base);
  }

  // Disjoint segments become a list of starts; a hole between two gets an entry of its own.
  template <typename Segments, typename Value>
  void put_rows(TableId id, const Segments& segments, Value value) {
    std::uint64_t position = model_.base;
    std::uint32_t last = kNone;
    for (const auto& segment : segments) {
      if (segment.begin > position && last != kNone) {
        put(id, RowEntry{distance(position), kNone});
        last = kNone;
      }
      const std::uint32_t number = value(segment);
      if (number != last) put(id, RowEntry{distance(segment.begin), number});
      last = number;
      position = segment.end;
    }
    if (last != kNone) put(id, RowEntry{distance(position), kNone});
  }

  void make_tables() {
    for (const auto& path : model_.files) put(kFiles, strings_.add(path));
    for (const auto& pair : numbers_.pairs()) put(kLines, pair);
    put_rows(kLineRows, model_.lines,
             [&](const LineSegment& segment) { return numbers_.of(segment.file, segment.line); });
    for (const auto& node : model_.nodes) {
      put(kNodes, NodeEntry{node.function, node.parent, numbers_.of(node.call_file, node.call_line)});
    }
    put_rows(kSegments, model_.segments, [](const ScopeSegment& segment) { return segment.node; });
    put_functions();
    put_symbols();
    for (const auto& section : model_.sections) {
      put(kSections, SectionEntry{strings_.add(section.name), distance(section.offset),
                                  static_cast<std::uint32_t>(section.size)});
    }
    for (const auto& [number, function] : model_.syscalls) put(kSyscalls, SyscallEntry{number, function});
    tables_[kStrings] = {strings_.bytes(), strings_.bytes().size()};
  }

  void put_functions() {
    for (const auto& function : model_.functions) {
      FunctionEntry entry;
      entry.name = strings_.add(function.name);
      entry.symbol = strings_.add(function.symbol);
      entry.file = function.file;
      entry.line = function.line;
      entry.end_line = function.end_line;
      entry.size = static_cast<std::uint32_t>(function.size);
      entry.complexity = function.complexity;
      entry.flags = (function.out_of_line ? kOutOfLine : 0u) | (function.inlined ? kInlined : 0u) |
                    (function.assembly ? kAssembly : 0u);
      entry.first_range = static_cast<std::uint32_t>(tables_[kRanges].count);
      entry.first_callee = static_cast<std::uint32_t>(tables_[kCallees].count);
      entry.first_import = static_cast<std::uint32_t>(tables_[kImports].count);
      for (const auto& range : function.ranges) {
        put(kRanges, RangeEntry{distance(range.begin), distance(range.end)});
      }
      for (const auto callee : function.callees) put(kCallees, callee);
      for (const auto name : function.imports) put(kImports, strings_.add(name));
      put(kFunctions, entry);
    }
    put_order(kFunctionsByName, model_.functions);
  }

  void put_symbols() {
    for (const auto& symbol : model_.symbols) {
      put(kSymbols, SymbolEntry{strings_.add(symbol.name), distance(symbol.address),
                                static_cast<std::uint32_t>(std::min<std::uint64_t>(symbol.size, kNone))});
    }
    put_order(kSymbolsByName, model_.symbols);
  }

  template <typename Named>
  void put_order(TableId id, const std::vector<Named>& named) {
    std::vector<std::uint32_t> order(named.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return named[a].name != named[b].name ? named[a].name < named[b].name : a < b;
    });
    for (const auto number : order) put(id, number);
  }

  IndexStats count() const {
    IndexStats stats;
    stats.build_id = model_.build_id;
    stats.functions = model_.functions.size();
    for (const auto& function : model_.functions) {
      stats.out_of_line += function.out_of_line ? 1 : 0;
      stats.with_complexity += function.complexity != 0 ? 1 : 0;
      stats.call_edges += function.callees.size() + function.imports.size();
    }
    stats.line_rows = tables_[kLineRows].count;
    stats.lines = tables_[kLines].count;
    stats.inline_instances = model_.inline_instances;
    stats.files = model_.files.size();
    stats.symbols = model_.symbols.size();
    return stats;
  }

  const CodeModel& model_;
  LineNumbers numbers_;
  StringTable strings_;
  std::array<Table, kTableCount> tables_;
  std::string out_;
};

}  // namespace

Result<IndexStats> write_index(const CodeModel& model, double build_seconds, const std::string& path) {
  Writer writer(model);
  HAP_CHECK(writer.prepare());
  IndexStats stats;
  const std::string bytes = writer.build(build_seconds, stats);
  const auto folder = std::filesystem::path(path).parent_path().string();
  if (!folder.empty()) HAP_CHECK(make_dirs(folder));
  HAP_CHECK(write_file_atomic(path, bytes));
  return stats;
}

}  // namespace hap::resolve
