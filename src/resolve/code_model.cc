#include "resolve/code_model.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

namespace hap::resolve {

namespace {

template <typename Segment>
void make_disjoint(std::vector<Segment>& segments) {
  std::stable_sort(segments.begin(), segments.end(),
                   [](const Segment& a, const Segment& b) { return a.begin < b.begin; });
  std::uint64_t position = 0;
  for (auto& segment : segments) {
    segment.begin = std::max(segment.begin, position);
    position = std::max(position, segment.end);
  }
  std::erase_if(segments, [](const Segment& segment) { return segment.begin >= segment.end; });
}

// Parts of the code that some function already has.
class Coverage {
 public:
  explicit Coverage(const std::vector<ScopeSegment>& segments) {
    for (const auto& segment : segments) add(segment.begin, segment.end);
  }

  void add(std::uint64_t begin, std::uint64_t end) {
    auto after = parts_.upper_bound(begin);
    if (after != parts_.begin() && std::prev(after)->second >= begin) {
      --after;
      begin = after->first;
      end = std::max(end, after->second);
      after = parts_.erase(after);
    }
    while (after != parts_.end() && after->first <= end) {
      end = std::max(end, after->second);
      after = parts_.erase(after);
    }
    parts_.emplace_hint(after, begin, end);
  }

  // The uncovered parts of [begin, end).
  std::vector<CodeRange> free_parts(std::uint64_t begin, std::uint64_t end) const {
    std::vector<CodeRange> parts;
    auto after = parts_.upper_bound(begin);
    if (after != parts_.begin()) begin = std::max(begin, std::prev(after)->second);
    while (begin < end) {
      const std::uint64_t stop = after == parts_.end() ? end : std::min(end, after->first);
      if (stop > begin) parts.push_back({begin, stop});
      if (after == parts_.end()) break;
      begin = std::max(begin, after->second);
      ++after;
    }
    return parts;
  }

 private:
  std::map<std::uint64_t, std::uint64_t> parts_;
};

class ModelMaker {
 public:
  ModelMaker(SourceFacts&& facts, std::vector<LinkedSymbol> symbols, const std::string& build_id) {
    model_.build_id = build_id;
    model_.files = std::move(facts.files);
    model_.nodes = std::move(facts.nodes);
    model_.segments = std::move(facts.scopes);
    model_.lines = std::move(facts.lines);
    model_.symbols = std::move(symbols);
    for (const auto& fact : facts.functions) {
      ModelFunction function;
      function.name = fact.key.name.empty() ? fact.key.linkage : fact.key.name;
      function.file = fact.key.file;
      function.line = fact.key.line;
      function.assembly = fact.assembly;
      function.noreturn = fact.noreturn;
      model_.functions.push_back(std::move(function));
    }
    for (const auto& range : facts.code) {
      model_.functions[range.function].ranges.push_back({range.begin, range.end});
    }
  }

  CodeModel make(std::vector<FoundFunction> found) {
    make_disjoint(model_.segments);
    make_disjoint(model_.lines);
    sort_symbols();
    add_symbol_functions();
    add_found_functions(std::move(found));
    make_disjoint(model_.segments);
    clear_padding_lines();
    finish_functions();
    find_extents();
    return std::move(model_);
  }

 private:
  void sort_symbols() {
    // Of several names for one address the first is the one to show: a function, global, with the larger
    // size.
    std::sort(model_.symbols.begin(), model_.symbols.end(), [](const LinkedSymbol& a, const LinkedSymbol& b) {
      if (a.address != b.address) return a.address < b.address;
      if (a.function != b.function) return a.function;
      if (a.size != b.size) return a.size > b.size;
      if (a.global != b.global) return a.global;
      return a.name < b.name;
    });
  }

  std::uint64_t end_of(std::size_t index) const {
    const auto& symbol = model_.symbols[index];
    if (symbol.size != 0) return symbol.address + symbol.size;
    for (std::size_t i = index + 1; i < model_.symbols.size(); ++i) {
      if (model_.symbols[i].address > symbol.address) return model_.symbols[i].address;
    }
    return symbol.address;
  }

  std::uint32_t add_function(std::string_view name) {
    ModelFunction function;
    function.name = name;
    model_.functions.push_back(std::move(function));
    return static_cast<std::uint32_t>(model_.functions.size() - 1);
  }

  void add_code(std::uint32_t function, const std::vector<CodeRange>& parts, Coverage& coverage) {
    ScopeNode node;
    node.function = function;
    const auto number = static_cast<std::uint32_t>(model_.nodes.size());
    model_.nodes.push_back(node);
    for (const auto& part : parts) {
      model_.segments.push_back({part.begin, part.end, number});
      model_.functions[function].ranges.push_back(part);
      coverage.add(part.begin, part.end);
    }
  }

  // Code that the debug information leaves out: assembler without annotations, or everything in a file
  // without debug information. Functions before plain labels, whole functions before their clones.
  void add_symbol_functions() {
    Coverage coverage(model_.segments);
    std::unordered_map<std::string_view, std::uint32_t> by_name;
    for (std::uint32_t id = 0; id < model_.functions.size(); ++id) {
      if (!model_.functions[id].ranges.empty()) by_name.try_emplace(model_.functions[id].name, id);
    }
    std::unordered_map<std::uint64_t, std::uint32_t> by_begin;
    for (std::uint32_t id = 0; id < model_.functions.size(); ++id) {
      for (const auto& range : model_.functions[id].ranges) by_begin.try_emplace(range.begin, id);
    }
    enum Pass { functions, clones, paddings, labels };
    for (const Pass pass : {functions, clones, paddings, labels}) {
      for (std::size_t i = 0; i < model_.symbols.size(); ++i) {
        const auto& symbol = model_.symbols[i];
        const bool padding = symbol.name.starts_with("__pfx_");
        const bool clone = base_of_clone(symbol.name) != symbol.name;
        const Pass own = padding ? paddings : !symbol.function ? labels : clone ? clones : functions;
        if (own != pass || (pass == labels && symbol.size == 0)) continue;
        const std::uint64_t end = end_of(i);
        const auto parts = coverage.free_parts(symbol.address, end);
        if (parts.empty()) continue;
        std::uint32_t function = kNone;
        if (pass == clones) {
          const auto base = by_name.find(base_of_clone(symbol.name));
          if (base != by_name.end()) function = base->second;
        } else if (pass == paddings) {
          // The call padding before a function belongs to it.
          const auto padded = by_begin.find(end);
          if (padded != by_begin.end()) function = padded->second;
        }
        if (function == kNone) {
          function = add_function(pass == clones ? base_of_clone(symbol.name) : symbol.name);
          by_name.try_emplace(model_.functions[function].name, function);
        }
        by_begin.try_emplace(parts.front().begin, function);
        if (pass == paddings) paddings_.insert(paddings_.end(), parts.begin(), parts.end());
        add_code(function, parts, coverage);
      }
    }
  }

  void add_found_functions(std::vector<FoundFunction> found) {
    if (found.empty()) return;
    Coverage coverage(model_.segments);
    for (auto& entry : found) {
      const auto parts = coverage.free_parts(entry.begin, entry.end);
      if (parts.empty()) continue;
      const std::uint32_t function = add_function(model_.made_names.emplace_back(std::move(entry.name)));
      add_code(function, parts, coverage);
    }
  }

  // The last line row of a function reaches over the padding of the next one, which has no line.
  void clear_padding_lines() {
    if (paddings_.empty()) return;
    std::sort(paddings_.begin(), paddings_.end(),
              [](const CodeRange& a, const CodeRange& b) { return a.begin < b.begin; });
    std::vector<LineSegment> kept;
    kept.reserve(model_.lines.size());
    auto padding = paddings_.begin();
    for (auto line : model_.lines) {
      while (padding != paddings_.end() && padding->end <= line.begin) ++padding;
      for (auto at = padding; at != paddings_.end() && at->begin < line.end; ++at) {
        if (at->begin > line.begin) {
          kept.push_back(line);
          kept.back().end = at->begin;
        }
        line.begin = std::min(at->end, line.end);
      }
      if (line.begin < line.end) kept.push_back(line);
    }
    model_.lines = std::move(kept);
  }

  void finish_functions() {
    for (const auto& node : model_.nodes) {
      auto& function = model_.functions[node.function];
      if (node.parent != kNone) {
        function.inlined = true;
        ++model_.inline_instances;
      }
    }
    for (auto& function : model_.functions) {
      auto& ranges = function.ranges;
      // The symbol of the first copy as the compiler wrote it, before the ranges are put in order.
      if (!ranges.empty()) function.symbol = symbol_of(ranges);
      std::sort(ranges.begin(), ranges.end(),
                [](const CodeRange& a, const CodeRange& b) { return a.begin < b.begin; });
      std::vector<CodeRange> merged;
      for (const auto& range : ranges) {
        if (!merged.empty() && range.begin <= merged.back().end) {
          merged.back().end = std::max(merged.back().end, range.end);
        } else {
          merged.push_back(range);
        }
      }
      ranges = std::move(merged);
      for (const auto& range : ranges) function.size += range.end - range.begin;
      function.out_of_line = !ranges.empty();
    }
  }

  std::string_view symbol_of(const std::vector<CodeRange>& ranges) const {
    for (const auto& range : ranges) {
      auto at = std::lower_bound(
          model_.symbols.begin(), model_.symbols.end(), range.begin,
          [](const LinkedSymbol& symbol, std::uint64_t address) { return symbol.address < address; });
      for (; at != model_.symbols.end() && at->address == range.begin; ++at) {
        if (!at->name.starts_with("__pfx_") && !at->name.ends_with(".cold")) return at->name;
      }
    }
    return {};
  }

  // DWARF has no end line: it is the highest line whose innermost scope is the function itself, in the file
  // that declares it. A function without a declaration (assembler) starts at the line of its first byte.
  //
  // In C nothing nests, so an end never lies behind the declaration of the next function in the file. That
  // matters: where GCC inlines the head of a split function (.part), the call of the rest bears the line of
  // the caller, though its scope is the inlined function.
  void find_extents() {
    for (auto& function : model_.functions) {
      if (function.line != 0 || function.ranges.empty()) continue;
      for (const auto& range : function.ranges) {
        // Not always at the first byte: the call padding before a function has no line.
        const auto* line = first_line_in(range);
        if (line == nullptr) continue;
        function.file = line->file;
        function.line = line->line;
        const auto& path = model_.files[line->file];
        function.assembly |= path.ends_with(".S") || path.ends_with(".s");
        break;
      }
    }
    const auto limits = line_limits();
    auto line = model_.lines.begin();
    for (const auto& segment : model_.segments) {
      const std::uint32_t id = model_.nodes[segment.node].function;
      auto& function = model_.functions[id];
      while (line != model_.lines.end() && line->end <= segment.begin) ++line;
      for (auto at = line; at != model_.lines.end() && at->begin < segment.end; ++at) {
        if (at->file == function.file && at->line >= function.line && at->line < limits[id]) {
          function.end_line = std::max(function.end_line, at->line);
        }
      }
    }
  }

  // For each function the line of the next declaration in its file; no limit where functions can nest freely
  // (C++, Rust).
  std::vector<std::uint32_t> line_limits() const {
    std::vector<std::uint32_t> limits(model_.functions.size(), kNone);
    std::vector<std::uint32_t> order;
    for (std::uint32_t id = 0; id < model_.functions.size(); ++id) {
      const auto& function = model_.functions[id];
      if (function.file == kNone || function.line == 0) continue;
      const auto& path = model_.files[function.file];
      const bool flat = path.ends_with(".c") || path.ends_with(".h") || path.ends_with(".S");
      if (flat || path.ends_with(".go")) order.push_back(id);
    }
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      const auto& left = model_.functions[a];
      const auto& right = model_.functions[b];
      return left.file != right.file ? left.file < right.file : left.line < right.line;
    });
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto& function = model_.functions[order[i]];
      for (std::size_t j = i + 1; j < order.size(); ++j) {
        const auto& next = model_.functions[order[j]];
        if (next.file != function.file) break;
        // A macro can define several functions in one line; a Go closure lies inside the function it is named
        // by.
        const bool inside = next.line == function.line ||
                            (next.name.size() > function.name.size() &&
                             next.name.starts_with(function.name) && next.name[function.name.size()] == '.');
        if (inside) continue;
        limits[order[i]] = next.line;
        break;
      }
    }
    return limits;
  }

  const LineSegment* first_line_in(const CodeRange& range) const {
    auto at = std::lower_bound(
        model_.lines.begin(), model_.lines.end(), range.begin,
        [](const LineSegment& segment, std::uint64_t value) { return segment.end <= value; });
    for (; at != model_.lines.end() && at->begin < range.end; ++at) {
      if (at->file != kNone) return &*at;
    }
    return nullptr;
  }

  CodeModel model_;
  std::vector<CodeRange> paddings_;
};

}  // namespace

std::string_view base_of_clone(std::string_view symbol) {
  static constexpr std::array<std::string_view, 7> suffixes{".cold",       ".isra.", ".constprop.", ".part.",
                                                            ".localalias", ".llvm.", ".lto_priv."};
  std::size_t cut = symbol.size();
  for (const auto suffix : suffixes) {
    const auto at = symbol.find(suffix);
    if (at != std::string_view::npos && at > 0) cut = std::min(cut, at);
  }
  return symbol.substr(0, cut);
}

std::uint32_t CodeModel::function_at(std::uint64_t address) const {
  auto after = std::upper_bound(
      segments.begin(), segments.end(), address,
      [](std::uint64_t value, const ScopeSegment& segment) { return value < segment.begin; });
  if (after == segments.begin()) return kNone;
  --after;
  if (address >= after->end) return kNone;
  std::uint32_t node = after->node;
  while (nodes[node].parent != kNone) node = nodes[node].parent;
  return nodes[node].function;
}

CodeModel make_model(SourceFacts&& facts, std::vector<LinkedSymbol> symbols, std::vector<FoundFunction> found,
                     const std::string& build_id) {
  return ModelMaker(std::move(facts), std::move(symbols), build_id).make(std::move(found));
}

}  // namespace hap::resolve
