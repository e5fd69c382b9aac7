#include "resolve/go_functions.h"

#include <algorithm>
#include <unordered_map>

#include "base/checked_reader.h"

namespace hap::resolve {

namespace {

constexpr std::uint32_t kMagic118 = 0xfffffff0;
constexpr std::uint32_t kMagic120 = 0xfffffff1;

Error damaged() {
  return Error("the Go function table is damaged").of_kind(ErrorKind::corrupt);
}

// A table of (value, pc) steps: deltas, the value's zigzag-coded, starting at value -1 and the function's
// entry.
class StepReader {
 public:
  StepReader(CheckedReader reader, std::uint64_t pc) : reader_(reader), end_(pc) {}

  // Moves to the next run of equal values; false at the end of the table.
  bool next() {
    const std::uint64_t delta = reader_.read_uleb128();
    if (!reader_.ok() || (delta == 0 && !first_)) return false;
    first_ = false;
    value_ += static_cast<std::int64_t>(delta >> 1) ^ -static_cast<std::int64_t>(delta & 1);
    begin_ = end_;
    const std::uint64_t length = reader_.read_uleb128();
    if (!reader_.ok() || length > 0xffffffff) return false;
    end_ = begin_ + length;
    return value_ >= -1 && value_ < 0x7fffffff;
  }
  std::int64_t value() const { return value_; }
  std::uint64_t end() const { return end_; }

 private:
  CheckedReader reader_;
  std::int64_t value_ = -1;
  std::uint64_t begin_ = 0;
  std::uint64_t end_;
  bool first_ = true;
};

class TableReader {
 public:
  TableReader(Bytes bytes, std::uint64_t text_address, std::uint64_t text_end, SourceFacts& facts)
      : table_(bytes), text_(text_address), text_end_(text_end), facts_(facts) {}

  Status read() {
    HAP_CHECK(read_header());
    CheckedReader functions = table_.at(functions_, (std::uint64_t{count_} * 2 + 1) * 4);
    if (!functions.ok()) return damaged();
    std::uint32_t entry = functions.read<std::uint32_t>();
    for (std::uint32_t i = 0; i < count_; ++i) {
      const auto offset = functions.read<std::uint32_t>();
      const auto next = functions.read<std::uint32_t>();
      if (next < entry || next > text_end_ - text_) return damaged();
      if (next > entry) read_function(functions_ + offset, text_ + entry, text_ + next);
      entry = next;
    }
    return {};
  }

 private:
  Status read_header() {
    CheckedReader reader = table_;
    const auto magic = reader.read<std::uint32_t>();
    reader.skip(2);
    const auto quantum = reader.read<std::uint8_t>();
    const auto pointer = reader.read<std::uint8_t>();
    if (!reader.ok()) return damaged();
    if ((magic != kMagic118 && magic != kMagic120) || quantum != 1 || pointer != 8) {
      return Error("the Go function table has an unknown version").of_kind(ErrorKind::unsupported);
    }
    has_start_line_ = magic == kMagic120;
    const auto count = reader.read<std::uint64_t>();
    reader.skip(8);  // number of files
    const auto text = reader.read<std::uint64_t>();
    // Position-independent programs leave it to the loader.
    if (text >= text_ && text < text_end_) text_ = text;
    names_ = reader.read<std::uint64_t>();
    units_ = reader.read<std::uint64_t>();
    files_ = reader.read<std::uint64_t>();
    steps_ = reader.read<std::uint64_t>();
    functions_ = reader.read<std::uint64_t>();
    if (!reader.ok() || count > table_.remaining() / 8) return damaged();
    count_ = static_cast<std::uint32_t>(count);
    return {};
  }

  // A reader from an offset of the table to its end.
  CheckedReader from(std::uint64_t base, std::uint64_t offset) const {
    const std::uint64_t at = base + offset;
    if (at < base || at > table_.remaining()) return table_.at(~std::uint64_t{0}, 1);
    return table_.at(at, table_.remaining() - at);
  }

  std::uint32_t file_id(std::uint32_t unit, std::int64_t number) {
    if (number < 0) return kNone;
    auto entry = from(units_, (std::uint64_t{unit} + static_cast<std::uint64_t>(number)) * 4);
    const auto offset = entry.read<std::uint32_t>();
    if (!entry.ok() || offset == 0xffffffff) return kNone;
    const auto [known, added] = file_ids_.try_emplace(offset, kNone);
    if (added) {
      auto path = from(files_, offset).read_c_string();
      if (!path.empty()) known->second = facts_.intern_file(std::string(path));
    }
    return known->second;
  }

  void read_function(std::uint64_t offset, std::uint64_t begin, std::uint64_t end) {
    auto reader = from(offset, 0);
    reader.skip(4);  // entry, known already
    const auto name = reader.read<std::uint32_t>();
    reader.skip(12);  // arguments, deferreturn, table of stack sizes
    const auto file_steps = reader.read<std::uint32_t>();
    const auto line_steps = reader.read<std::uint32_t>();
    reader.skip(4);  // number of further tables
    const auto unit = reader.read<std::uint32_t>();
    const std::uint32_t start_line = has_start_line_ ? reader.read<std::uint32_t>() : 0;
    if (!reader.ok()) return;

    FunctionFact fact;
    fact.key.name = from(names_, name).read_c_string();
    fact.key.line = start_line < 0x7fffffff ? start_line : 0;
    StepReader files(from(steps_, file_steps), begin);
    StepReader lines(from(steps_, line_steps), begin);
    const bool has_lines = file_steps != 0 && line_steps != 0 && files.next() && lines.next();
    if (has_lines) {
      // The first instruction is the function's own.
      fact.key.file = file_id(unit, files.value());
      if (fact.key.line == 0 && lines.value() > 0) fact.key.line = static_cast<std::uint32_t>(lines.value());
    }
    const std::uint32_t function = facts_.intern_function(fact);
    const auto node = static_cast<std::uint32_t>(facts_.nodes.size());
    facts_.nodes.push_back({function, kNone, kNone, 0});
    facts_.scopes.push_back({begin, end, node});
    facts_.code.push_back({begin, end, function});
    if (!has_lines) return;
    std::uint64_t position = begin;
    while (position < end) {
      const std::uint64_t stop = std::min({files.end(), lines.end(), end});
      const std::uint32_t file = file_id(unit, files.value());
      if (stop > position && file != kNone && lines.value() > 0) {
        facts_.lines.push_back({position, stop, file, static_cast<std::uint32_t>(lines.value())});
      }
      position = std::max(position, stop);
      if (files.end() <= position && !files.next()) return;
      if (lines.end() <= position && !lines.next()) return;
    }
  }

  CheckedReader table_;
  std::uint64_t text_;
  std::uint64_t text_end_;
  SourceFacts& facts_;
  bool has_start_line_ = false;
  std::uint32_t count_ = 0;
  std::uint64_t names_ = 0;
  std::uint64_t units_ = 0;
  std::uint64_t files_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t functions_ = 0;
  std::unordered_map<std::uint32_t, std::uint32_t> file_ids_;
};

}  // namespace

Status read_go_functions(const ElfFile& elf, SourceFacts& facts) {
  const auto* text = elf.section(".text");
  if (text == nullptr || text->size > 0xffffffff) return {};
  for (const auto& section : elf.sections()) {
    if (section.name != ".gopclntab" && section.name != ".data.rel.ro.gopclntab") continue;
    HAP_TRY(bytes, elf.contents(section));
    return TableReader(bytes.view, text->address, text->address + text->size, facts).read();
  }
  return {};
}

}  // namespace hap::resolve
