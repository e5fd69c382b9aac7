// Reads one compilation unit into SourceFacts: its functions, the tree of inlined calls, its line rows.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "resolve/dwarf_line.h"
#include "resolve/dwarf_unit.h"
#include "resolve/source_facts.h"

namespace hap::resolve {

struct ReadRules {
  // Only code here counts: debug information of discarded functions points to address 0 or nowhere.
  std::vector<AddressRange> executable;  // ascending
  // Kernel sources: names relative to the root of the source tree, never absolute.
  bool kernel_paths = false;

  bool is_code(std::uint64_t address) const;
};

// Not to be shared by threads; one reader serves any number of units.
class UnitReader {
 public:
  UnitReader(const DwarfSections& sections, const ReadRules& rules, SourceFacts& facts)
      : sections_(sections), rules_(rules), facts_(facts) {}

  // Errors: damage in this unit. What was read before it stays in the facts and is correct.
  Status read(std::size_t unit_index);

 private:
  // A unit that is being read or that others refer to (partial units of dwz).
  struct OpenUnit {
    Unit unit;
    LineTable lines;
    std::vector<std::uint32_t> file_ids;  // kNone: not interned yet
    bool assembly = false;
  };
  // A scope while its unit is being read.
  struct PendingRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint32_t depth = 0;
    std::uint32_t node = kNone;
  };

  Result<OpenUnit*> open(std::size_t index);
  void read_lines(OpenUnit& open);
  Status read_scopes(OpenUnit& open);
  void enter_scope(OpenUnit& open, const Die& die, std::uint32_t parent, std::uint32_t& node);
  void flatten_scopes();
  std::uint32_t function_of(OpenUnit& open, const Die& die);
  std::uint32_t file_id(OpenUnit& open, std::uint64_t file);
  std::string source_path(const OpenUnit& open, const SourceName& name) const;

  const DwarfSections& sections_;
  const ReadRules& rules_;
  SourceFacts& facts_;
  std::unordered_map<std::size_t, std::unique_ptr<OpenUnit>> open_units_;
  std::unordered_map<std::uint64_t, std::uint32_t> function_ids_;  // by offset of the entry
  std::vector<PendingRange> pending_;
  std::vector<std::uint32_t> depths_;  // of facts_.nodes from first_node_ on
  std::uint32_t first_node_ = 0;
  std::vector<AddressRange> ranges_;  // scratch
};

}  // namespace hap::resolve
