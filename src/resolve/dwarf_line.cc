#include "resolve/dwarf_line.h"

#include <dwarf.h>

#include "base/checked_reader.h"

namespace hap::resolve {

namespace {

constexpr std::size_t kMaxEntries = 1u << 20;  // directories or files of one unit

struct EntryFormat {
  std::uint64_t content = 0;
  std::uint16_t form = 0;
};

struct Program {
  std::uint8_t minimum_length = 1;
  std::int8_t line_base = 0;
  std::uint8_t line_range = 1;
  std::uint8_t opcode_base = 1;
  std::vector<std::uint8_t> operands;  // of each standard opcode
};

Error damaged() {
  return Error("a line program is damaged").of_kind(ErrorKind::corrupt);
}

std::uint64_t read_offset(CheckedReader& reader, unsigned size) {
  return size == 8 ? reader.read<std::uint64_t>() : reader.read<std::uint32_t>();
}

std::int64_t read_sleb128(CheckedReader& reader) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = reader.read<std::uint8_t>();
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) {
      if ((byte & 0x40) != 0 && shift + 7 < 64) value |= ~std::uint64_t{0} << (shift + 7);
      return static_cast<std::int64_t>(value);
    }
  }
  reader.skip(reader.remaining() + 1);
  return 0;
}

class TableReader {
 public:
  TableReader(const Unit& unit, CheckedReader reader) : unit_(unit), reader_(reader) {}

  Result<LineTable> read() {
    HAP_CHECK(read_header());
    run();
    return std::move(table_);
  }

 private:
  Status read_header() {
    std::uint64_t length = reader_.read<std::uint32_t>();
    if (length == 0xffffffff) {
      length = reader_.read<std::uint64_t>();
      offset_size_ = 8;
    }
    if (!reader_.ok() || length > reader_.remaining()) return damaged();
    end_ = reader_.offset() + length;
    const auto version = reader_.read<std::uint16_t>();
    if (version < 2 || version > 5)
      return Error("unknown line program version").of_kind(ErrorKind::unsupported);
    if (version >= 5) reader_.skip(2);  // address and segment selector size
    const std::uint64_t header_length = read_offset(reader_, offset_size_);
    if (header_length > end_ - std::min<std::uint64_t>(end_, reader_.offset())) return damaged();
    const std::uint64_t program_start = reader_.offset() + header_length;
    program_.minimum_length = reader_.read<std::uint8_t>();
    if (version >= 4) reader_.skip(1);  // operations per instruction: 1 on x86
    reader_.skip(1);                    // default is_stmt: every row counts here
    program_.line_base = reader_.read<std::int8_t>();
    program_.line_range = reader_.read<std::uint8_t>();
    program_.opcode_base = reader_.read<std::uint8_t>();
    if (!reader_.ok() || program_.line_range == 0 || program_.opcode_base == 0) return damaged();
    for (unsigned i = 1; i < program_.opcode_base; ++i)
      program_.operands.push_back(reader_.read<std::uint8_t>());
    const bool read = version >= 5 ? read_names5() : read_names4();
    if (!read || !reader_.ok()) return damaged();
    if (reader_.offset() > program_start) return damaged();
    reader_.skip(program_start - reader_.offset());
    return {};
  }

  bool read_format(std::vector<EntryFormat>& format) {
    const unsigned count = reader_.read<std::uint8_t>();
    for (unsigned i = 0; i < count && reader_.ok(); ++i) {
      EntryFormat entry;
      entry.content = reader_.read_uleb128();
      entry.form = static_cast<std::uint16_t>(reader_.read_uleb128());
      format.push_back(entry);
    }
    return reader_.ok();
  }

  // One directory or file: its path, and for a file the number of its directory.
  bool read_entry(const std::vector<EntryFormat>& format, std::string_view& path, std::uint64_t& directory) {
    for (const auto& entry : format) {
      FormValue value;
      value.form = entry.form;
      switch (entry.form) {
        case DW_FORM_string:
          value.text = reader_.read_c_string();
          break;
        case DW_FORM_line_strp:
        case DW_FORM_strp:
          value.value = read_offset(reader_, offset_size_);
          break;
        case DW_FORM_udata:
        case DW_FORM_strx:
          value.value = reader_.read_uleb128();
          break;
        case DW_FORM_data1:
          value.value = reader_.read<std::uint8_t>();
          break;
        case DW_FORM_data2:
          value.value = reader_.read<std::uint16_t>();
          break;
        case DW_FORM_data4:
          value.value = reader_.read<std::uint32_t>();
          break;
        case DW_FORM_data8:
          value.value = reader_.read<std::uint64_t>();
          break;
        case DW_FORM_data16:
          reader_.skip(16);
          break;
        case DW_FORM_block:
          reader_.skip(reader_.read_uleb128());
          break;
        default:
          return false;
      }
      if (!reader_.ok()) return false;
      if (entry.content == DW_LNCT_path) path = unit_.text(value);
      if (entry.content == DW_LNCT_directory_index) directory = value.value;
    }
    return true;
  }

  bool read_names5() {
    std::vector<EntryFormat> format;
    if (!read_format(format)) return false;
    std::vector<std::string_view> directories;
    std::uint64_t count = reader_.read_uleb128();
    // An entry takes at least a byte, so a count beyond the rest of the section is a lie.
    if (count > kMaxEntries || count > reader_.remaining()) return false;
    for (std::uint64_t i = 0; i < count; ++i) {
      std::string_view path;
      std::uint64_t unused = 0;
      if (!read_entry(format, path, unused)) return false;
      directories.push_back(path);
    }
    format.clear();
    if (!read_format(format)) return false;
    count = reader_.read_uleb128();
    if (count > kMaxEntries || count > reader_.remaining()) return false;
    for (std::uint64_t i = 0; i < count; ++i) {
      SourceName file;
      std::uint64_t directory = 0;
      if (!read_entry(format, file.name, directory)) return false;
      // Directory 0 is the compilation directory itself; relative names are relative to it anyway.
      if (directory != 0 && directory < directories.size()) file.directory = directories[directory];
      table_.files.push_back(file);
    }
    return true;
  }

  bool read_names4() {
    std::vector<std::string_view> directories{std::string_view{}};
    while (true) {
      const auto path = reader_.read_c_string();
      if (!reader_.ok()) return false;
      if (path.empty()) break;
      directories.push_back(path);
    }
    table_.files.push_back({{}, unit_.text(unit_.root().name)});
    while (true) {
      SourceName file;
      file.name = reader_.read_c_string();
      if (!reader_.ok()) return false;
      if (file.name.empty()) return true;
      const auto directory = reader_.read_uleb128();
      reader_.read_uleb128();  // modification time
      reader_.read_uleb128();  // size
      if (directory < directories.size()) file.directory = directories[directory];
      table_.files.push_back(file);
    }
  }

  void emit(bool end) {
    if (line_ < 0 || line_ > 0x7fffffff) line_ = 0;
    table_.rows.push_back({address_, file_, static_cast<std::uint32_t>(line_), end});
  }

  void reset() {
    address_ = 0;
    file_ = 1;
    line_ = 1;
  }

  void run_extended() {
    const std::uint64_t size = reader_.read_uleb128();
    if (size == 0 || size > reader_.remaining()) {
      reader_.skip(reader_.remaining() + 1);
      return;
    }
    const std::uint64_t next = reader_.offset() + size;
    switch (reader_.read<std::uint8_t>()) {
      case DW_LNE_end_sequence:
        emit(true);
        reset();
        break;
      case DW_LNE_set_address:
        if (size == 9) address_ = reader_.read<std::uint64_t>();
        break;
      default:
        break;
    }
    if (reader_.ok() && reader_.offset() < next) reader_.skip(next - reader_.offset());
  }

  void run_standard(std::uint8_t opcode) {
    switch (opcode) {
      case DW_LNS_copy:
        emit(false);
        break;
      case DW_LNS_advance_pc:
        address_ += reader_.read_uleb128() * program_.minimum_length;
        break;
      case DW_LNS_advance_line:
        line_ += read_sleb128(reader_) % 0x80000000;
        break;
      case DW_LNS_set_file:
        file_ = static_cast<std::uint32_t>(reader_.read_uleb128());
        break;
      case DW_LNS_const_add_pc:
        address_ += advance(255);
        break;
      case DW_LNS_fixed_advance_pc:
        address_ += reader_.read<std::uint16_t>();
        break;
      case DW_LNS_negate_stmt:
      case DW_LNS_set_basic_block:
      case DW_LNS_set_prologue_end:
      case DW_LNS_set_epilogue_begin:
        break;
      default:  // set_column, set_isa and whatever the header declares
        for (unsigned i = 0; i < program_.operands[opcode - 1]; ++i) reader_.read_uleb128();
    }
  }

  std::uint64_t advance(std::uint8_t opcode) const {
    return std::uint64_t{static_cast<std::uint8_t>(opcode - program_.opcode_base)} / program_.line_range *
           program_.minimum_length;
  }

  void run() {
    reset();
    // What precedes damage is good: a cut program keeps its rows, and closed sequences are all that is used.
    while (reader_.ok() && reader_.offset() < end_) {
      const auto opcode = reader_.read<std::uint8_t>();
      if (opcode >= program_.opcode_base) {
        address_ += advance(opcode);
        line_ += program_.line_base +
                 static_cast<std::uint8_t>(opcode - program_.opcode_base) % program_.line_range;
        emit(false);
      } else if (opcode == 0) {
        run_extended();
      } else {
        run_standard(opcode);
      }
    }
  }

  const Unit& unit_;
  CheckedReader reader_;
  unsigned offset_size_ = 4;
  std::uint64_t end_ = 0;
  Program program_;
  LineTable table_;
  std::uint64_t address_ = 0;
  std::uint32_t file_ = 1;
  std::int64_t line_ = 1;
};

}  // namespace

Result<LineTable> read_line_table(const DwarfSections& sections, const Unit& unit) {
  const FormValue& offset = unit.root().stmt_list;
  if (!offset.present()) return LineTable{};
  if (offset.value > sections.line.view.size()) return damaged();
  return TableReader(unit, CheckedReader(sections.line.view.subspan(offset.value))).read();
}

}  // namespace hap::resolve
