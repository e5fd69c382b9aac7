#include "resolve/unit_scopes.h"

#include <dwarf.h>

#include <algorithm>

namespace hap::resolve {

namespace {

// Deeper nesting than any compiler emits is damage.
constexpr std::size_t kMaxDepth = 512;
constexpr int kMaxOrigins = 8;
constexpr std::uint64_t kAssembler = 0x8001;  // DW_LANG_Mips_Assembler, which GNU as uses

}  // namespace

bool ReadRules::is_code(std::uint64_t address) const {
  auto after =
      std::upper_bound(executable.begin(), executable.end(), address,
                       [](std::uint64_t value, const AddressRange& range) { return value < range.begin; });
  return after != executable.begin() && address < std::prev(after)->end;
}

Result<UnitReader::OpenUnit*> UnitReader::open(std::size_t index) {
  if (const auto found = open_units_.find(index); found != open_units_.end()) return found->second.get();
  HAP_TRY(unit, Unit::open(sections_, index));
  HAP_TRY(lines, read_line_table(sections_, unit));
  auto open = std::make_unique<OpenUnit>(OpenUnit{std::move(unit), std::move(lines), {}, false});
  open->file_ids.assign(open->lines.files.size(), kNone);
  open->assembly = open->unit.root().language.value == kAssembler;
  auto* result = open.get();
  open_units_.emplace(index, std::move(open));
  return result;
}

Status UnitReader::read(std::size_t unit_index) {
  open_units_.clear();
  function_ids_.clear();
  HAP_TRY(unit, open(unit_index));
  read_lines(*unit);
  unit->lines.rows = {};
  const Status status = read_scopes(*unit);
  flatten_scopes();
  return status;
}

std::string UnitReader::source_path(const OpenUnit& open, const SourceName& name) const {
  const auto& unit = open.unit;
  const auto base = unit.text(unit.root().comp_dir);
  if (!rules_.kernel_paths) return join_source_path(base, name.directory, name.name);
  // Kernel builds map the source root to "" or build inside it: relative names are relative to the root, and
  // names of generated files lie under the build directory.
  std::string path = join_source_path({}, name.directory, name.name);
  const std::string build = join_source_path({}, base, {});
  if (!build.empty() && path.size() > build.size() && path.starts_with(build) && path[build.size()] == '/') {
    path.erase(0, build.size() + 1);
  }
  return path;
}

std::uint32_t UnitReader::file_id(OpenUnit& open, std::uint64_t file) {
  if (file >= open.file_ids.size()) return kNone;
  auto& id = open.file_ids[file];
  if (id == kNone && !open.lines.files[file].name.empty()) {
    id = facts_.intern_file(source_path(open, open.lines.files[file]));
  }
  return id;
}

void UnitReader::read_lines(OpenUnit& open) {
  const auto& rows = open.lines.rows;
  LineSegment current;
  const auto flush = [&] {
    if (current.end > current.begin && current.file != kNone) facts_.lines.push_back(current);
    current = {};
  };
  for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
    const auto& row = rows[i];
    const auto& next = rows[i + 1];
    // A row that the next one replaces at the same address covers no byte.
    if (row.end || next.address <= row.address) continue;
    if (!rules_.is_code(row.address)) continue;
    const std::uint32_t file = row.line == 0 ? kNone : file_id(open, row.file);
    if (current.end == row.address && current.file == file && current.line == row.line) {
      current.end = next.address;
      continue;
    }
    flush();
    current = {row.address, next.address, file, row.line};
  }
  flush();
}

std::uint32_t UnitReader::function_of(OpenUnit& open_unit, const Die& die) {
  if (const auto known = function_ids_.find(die.offset); known != function_ids_.end()) return known->second;
  FunctionFact fact;
  fact.assembly = open_unit.assembly;
  OpenUnit* at = &open_unit;
  Die entry = die;
  for (int hop = 0; hop < kMaxOrigins; ++hop) {
    const Unit& unit = at->unit;
    if (fact.key.name.empty()) fact.key.name = unit.text(entry.name);
    if (fact.key.linkage.empty()) fact.key.linkage = unit.text(entry.linkage_name);
    if (fact.key.file == kNone && entry.decl_file.present())
      fact.key.file = file_id(*at, entry.decl_file.value);
    if (fact.key.line == 0 && entry.decl_line.present() && entry.decl_line.value < 0x7fffffff) {
      fact.key.line = static_cast<std::uint32_t>(entry.decl_line.value);
    }
    fact.noreturn |= entry.noreturn.present();
    const auto& link = entry.abstract_origin.present() ? entry.abstract_origin : entry.specification;
    const auto target = unit.reference(link);
    if (!target) break;
    if (*target < unit.header().offset || *target >= unit.header().end) {
      const auto other = sections_.unit_at(*target);
      if (!other) break;
      auto opened = open(*other);
      if (!opened) break;
      at = *opened;
    }
    Die next;
    if (!at->unit.read_die(*target, next)) break;
    entry = next;
  }
  const std::uint32_t id = facts_.intern_function(fact);
  function_ids_.emplace(die.offset, id);
  return id;
}

void UnitReader::enter_scope(OpenUnit& open_unit, const Die& die, std::uint32_t parent, std::uint32_t& node) {
  const Unit& unit = open_unit.unit;
  if (!unit.code_ranges(die, ranges_)) ++facts_.damaged_units;
  std::erase_if(ranges_, [&](const AddressRange& range) { return !rules_.is_code(range.begin); });
  if (ranges_.empty()) return;  // a declaration, an abstract instance, or optimized away
  ScopeNode scope;
  scope.parent = die.tag == DW_TAG_subprogram ? kNone : parent;
  if (die.tag == DW_TAG_inlined_subroutine) {
    if (parent == kNone) return;
    scope.call_file = die.call_file.present() ? file_id(open_unit, die.call_file.value) : kNone;
    scope.call_line = static_cast<std::uint32_t>(std::min<std::uint64_t>(die.call_line.value, 0x7fffffff));
    // All inlined calls of one function share the entry that they refer to.
    const auto origin = unit.reference(die.abstract_origin);
    Die entry = die;
    OpenUnit* at = &open_unit;
    if (!origin) return;
    if (*origin < unit.header().offset || *origin >= unit.header().end) {
      const auto other = sections_.unit_at(*origin);
      if (!other) return;
      auto opened = open(*other);
      if (!opened) return;
      at = *opened;
    }
    if (const auto known = function_ids_.find(*origin); known != function_ids_.end()) {
      scope.function = known->second;
    } else {
      if (!at->unit.read_die(*origin, entry)) return;
      scope.function = function_of(*at, entry);
    }
  } else {
    scope.function = function_of(open_unit, die);
  }
  node = static_cast<std::uint32_t>(facts_.nodes.size());
  facts_.nodes.push_back(scope);
  const std::uint32_t depth = scope.parent == kNone ? 0 : depths_[scope.parent - first_node_] + 1;
  depths_.push_back(depth);
  for (const auto& range : ranges_) {
    pending_.push_back({range.begin, range.end, depth, node});
    if (depth == 0) facts_.code.push_back({range.begin, range.end, scope.function});
  }
}

Status UnitReader::read_scopes(OpenUnit& open_unit) {
  const Unit& unit = open_unit.unit;
  const Error damaged = Error("debug entries of a unit are damaged").of_kind(ErrorKind::corrupt);
  // C has no functions inside types, so its types can be skipped by their sibling.
  const std::uint64_t language = unit.root().language.value;
  const bool types_hold_functions =
      language != DW_LANG_C11 && language != DW_LANG_C99 && language != DW_LANG_C89 && language != DW_LANG_C;
  pending_.clear();
  depths_.clear();
  first_node_ = static_cast<std::uint32_t>(facts_.nodes.size());
  struct Level {
    std::uint32_t node;  // innermost scope of the entries at this level
  };
  std::vector<Level> levels;
  std::uint64_t offset = unit.header().first_die;
  Die die;
  while (offset < unit.header().end) {
    if (!unit.read_die(offset, die)) return damaged;
    offset = die.next;
    if (die.tag == 0) {
      if (levels.empty()) return {};
      levels.pop_back();
      if (levels.empty()) return {};
      continue;
    }
    std::uint32_t node = levels.empty() ? kNone : levels.back().node;
    bool descend = die.children;
    switch (die.tag) {
      case DW_TAG_subprogram:
        node = kNone;
        enter_scope(open_unit, die, kNone, node);
        break;
      case DW_TAG_inlined_subroutine:
        enter_scope(open_unit, die, node, node);
        break;
      case DW_TAG_structure_type:
      case DW_TAG_class_type:
      case DW_TAG_union_type:
        if (!types_hold_functions && die.sibling.present()) descend = false;
        break;
      default:
        if (!is_scope_tag(die.tag) && die.sibling.present()) descend = false;
        break;
    }
    if (!die.children) continue;
    if (!descend) {
      const auto sibling = unit.reference(die.sibling);
      if (!sibling || *sibling < die.next) return damaged;
      offset = *sibling;
      continue;
    }
    if (levels.size() >= kMaxDepth) return damaged;
    levels.push_back({node});
  }
  return {};
}

// Turns nested ranges into disjoint segments, each with its innermost scope:
//
//   outer   |-------------------------|          outer | inner | outer
//   inner          |-------|            becomes  |-----|-------|-------|
//
// A range that leaves its surroundings (damage, or a compiler's slip) is cut at their end.
void UnitReader::flatten_scopes() {
  std::sort(pending_.begin(), pending_.end(), [](const PendingRange& a, const PendingRange& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    if (a.depth != b.depth) return a.depth < b.depth;
    return a.node < b.node;
  });
  std::vector<PendingRange> stack;
  std::uint64_t position = 0;
  const auto emit = [&](std::uint64_t end, std::uint32_t node) {
    if (end > position) {
      auto& out = facts_.scopes;
      if (!out.empty() && out.back().node == node && out.back().end == position) {
        out.back().end = end;
      } else {
        out.push_back({position, end, node});
      }
    }
    position = std::max(position, end);
  };
  for (auto range : pending_) {
    while (!stack.empty() && stack.back().end <= range.begin) {
      emit(stack.back().end, stack.back().node);
      stack.pop_back();
    }
    if (stack.empty()) {
      position = std::max(position, range.begin);
    } else {
      emit(range.begin, stack.back().node);
      range.end = std::min(range.end, stack.back().end);
    }
    if (range.end > range.begin) stack.push_back(range);
  }
  while (!stack.empty()) {
    emit(stack.back().end, stack.back().node);
    stack.pop_back();
  }
  pending_.clear();
}

}  // namespace hap::resolve
