#include "resolve/branches.h"

#include <capstone/capstone.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "resolve/jump_table.h"
#include "resolve/newer_instructions.h"

namespace hap::resolve {

namespace {

constexpr std::size_t kHistory = 96;         // instructions kept for the search of a jump table
constexpr std::uint64_t kMaxTable = 4096;    // entries
constexpr std::uint64_t kMaxSideCode = 256;  // bytes of code outside every function that are read along

struct InstructionDeleter {
  void operator()(cs_insn* instruction) const { cs_free(instruction, 1); }
};

enum class Flow { on, jump, conditional, call, end, trap };

Flow flow_of(unsigned id) {
  switch (id) {
    case X86_INS_JMP:
    case X86_INS_LJMP:
      return Flow::jump;
    case X86_INS_JA:
    case X86_INS_JAE:
    case X86_INS_JB:
    case X86_INS_JBE:
    case X86_INS_JE:
    case X86_INS_JNE:
    case X86_INS_JG:
    case X86_INS_JGE:
    case X86_INS_JL:
    case X86_INS_JLE:
    case X86_INS_JO:
    case X86_INS_JNO:
    case X86_INS_JP:
    case X86_INS_JNP:
    case X86_INS_JS:
    case X86_INS_JNS:
    case X86_INS_JCXZ:
    case X86_INS_JECXZ:
    case X86_INS_JRCXZ:
    case X86_INS_LOOP:
    case X86_INS_LOOPE:
    case X86_INS_LOOPNE:
      return Flow::conditional;
    case X86_INS_CALL:
    case X86_INS_LCALL:
      return Flow::call;
    case X86_INS_RET:
    case X86_INS_RETF:
    case X86_INS_RETFQ:
    case X86_INS_IRET:
    case X86_INS_IRETD:
    case X86_INS_IRETQ:
    case X86_INS_SYSRET:
    case X86_INS_SYSEXIT:
    case X86_INS_INT3:
      return Flow::end;
    case X86_INS_UD2:
    case X86_INS_UD0:
      return Flow::trap;
    default:
      return Flow::on;
  }
}

// Opcode byte behind prefixes; capstone without details gives no operands, and the bytes are quick to read.
std::size_t opcode_at(const cs_insn& instruction) {
  std::size_t at = 0;
  while (at + 1 < instruction.size) {
    const std::uint8_t byte = instruction.bytes[at];
    const bool prefix = byte == 0x2e || byte == 0x3e || byte == 0xf2 || byte == 0xf3 || byte == 0x66 ||
                        byte == 0x67 || (byte & 0xf0) == 0x40;
    if (!prefix) break;
    ++at;
  }
  return at;
}

// Distance to the target of a direct branch, whose field is the last one of the instruction.
std::optional<std::int64_t> branch_distance(const cs_insn& instruction) {
  const std::size_t at = opcode_at(instruction);
  const std::uint8_t opcode = instruction.bytes[at];
  const bool short_form = opcode == 0xeb || (opcode & 0xf0) == 0x70 || (opcode >= 0xe0 && opcode <= 0xe3);
  const bool long_form =
      opcode == 0xe8 || opcode == 0xe9 || (opcode == 0x0f && (instruction.bytes[at + 1] & 0xf0) == 0x80);
  if (short_form) return static_cast<std::int8_t>(instruction.bytes[instruction.size - 1]);
  if (!long_form || instruction.size < 5) return std::nullopt;
  std::int32_t distance = 0;
  std::memcpy(&distance, instruction.bytes + instruction.size - 4, sizeof(distance));
  return distance;
}

bool inside(const std::vector<CodeRange>& ranges, std::uint64_t address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const CodeRange& range) { return address >= range.begin && address < range.end; });
}

}  // namespace

Result<BranchReader> BranchReader::open(const CodeBytes& code) {
  BranchReader reader(code);
  const Error failed = Error("the disassembler does not start").of_kind(ErrorKind::unsupported);
  if (cs_open(CS_ARCH_X86, CS_MODE_64, &reader.plain_) != CS_ERR_OK) return failed;
  if (cs_open(CS_ARCH_X86, CS_MODE_64, &reader.detailed_) != CS_ERR_OK) return failed;
  if (cs_option(reader.detailed_, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK) return failed;
  return reader;
}

BranchReader::BranchReader(BranchReader&& other) noexcept
    : code_(other.code_),
      plain_(std::exchange(other.plain_, 0)),
      detailed_(std::exchange(other.detailed_, 0)),
      recent_(std::move(other.recent_)) {}

BranchReader::~BranchReader() {
  if (plain_ != 0) cs_close(&plain_);
  if (detailed_ != 0) cs_close(&detailed_);
}

void BranchReader::sweep(std::uint64_t begin, std::uint64_t end, bool stop_at_end, FunctionBranches& out) {
  const std::unique_ptr<cs_insn, InstructionDeleter> instruction(cs_malloc(plain_));
  if (!instruction) return;
  recent_.clear();
  const Bytes bytes = code_->from(begin);
  const auto* at = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::size_t left = std::min<std::uint64_t>(bytes.size(), end - begin);
  std::uint64_t address = begin;
  while (left > 0) {
    const std::uint64_t start = address;
    if (!cs_disasm_iter(plain_, &at, &left, &address, instruction.get())) {
      std::size_t length = newer_instruction_length({at, left});
      if (length == 0) {
        ++out.undecoded;
        length = 1;
      }
      at += length;
      left -= length;
      address += length;
      continue;
    }
    recent_.push_back(start);
    Branch branch;
    branch.address = start;
    branch.next = address;
    const Flow flow = flow_of(instruction->id);
    if (const auto target = code_->static_key_target(start)) {
      branch.kind = BranchKind::static_key;
      branch.target = *target;
      // Patched in as a nop or as a jump; whichever is in the file, both ways are there.
      out.branches.push_back(branch);
      continue;
    }
    if (flow == Flow::on) continue;
    if (flow == Flow::trap && code_->trap_at(start) == CodeBytes::Trap::warning) continue;
    if (flow == Flow::end || flow == Flow::trap) {
      branch.kind = BranchKind::end;
    } else {
      const auto distance = branch_distance(*instruction);
      branch.kind = flow == Flow::call          ? BranchKind::call
                    : flow == Flow::conditional ? BranchKind::conditional
                    : distance                  ? BranchKind::jump
                                                : BranchKind::indirect;
      if (distance) {
        branch.target = address + static_cast<std::uint64_t>(*distance);
        branch.import = code_->undefined_at(address - 4);
        if (branch.import.empty()) branch.import = code_->stub_target(branch.target);
        if (!branch.import.empty()) branch.target = 0;
      }
      if (branch.kind == BranchKind::indirect) {
        // Where the search for its table may start.
        const std::size_t first = recent_.size() > kHistory ? recent_.size() - kHistory : 0;
        branch.target = recent_[first];
      }
    }
    out.branches.push_back(branch);
    const bool ends = branch.kind == BranchKind::end || branch.kind == BranchKind::jump;
    if (ends && stop_at_end) return;
  }
}

void BranchReader::resolve_table(Branch& branch, const std::vector<CodeRange>& ranges,
                                 FunctionBranches& out) {
  const std::uint64_t begin = std::exchange(branch.target, 0);
  const Bytes bytes = code_->from(begin);
  if (bytes.size() < branch.next - begin) return;
  cs_insn* instructions = nullptr;
  const std::size_t count = cs_disasm(detailed_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                      branch.next - begin, begin, 0, &instructions);
  std::optional<JumpTable> table;
  if (count > 0 && instructions[count - 1].address == branch.address) {
    table = find_jump_table(instructions, count, code_->relocatable());
  }
  cs_free(instructions, count);
  if (!table) return;
  std::vector<std::uint64_t> targets;
  const std::uint64_t limit = std::min(table->count.value_or(kMaxTable), kMaxTable);
  for (std::uint64_t i = 0; i < limit; ++i) {
    std::uint64_t target = 0;
    if (table->relative) {
      const auto entry = code_->read<std::int32_t>(table->address + 4 * i);
      if (!entry) break;
      target = table->address + static_cast<std::uint64_t>(std::int64_t{*entry});
    } else {
      const auto entry = code_->read<std::uint64_t>(table->address + 8 * i);
      if (!entry) break;
      target = *entry;
    }
    if (!inside(ranges, target)) break;  // behind the end of the table
    targets.push_back(target);
  }
  if (targets.empty()) return;
  std::sort(targets.begin(), targets.end());
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  branch.kind = BranchKind::table;
  branch.table = static_cast<std::uint32_t>(out.targets.size());
  branch.table_size = static_cast<std::uint32_t>(targets.size());
  out.targets.insert(out.targets.end(), targets.begin(), targets.end());
}

FunctionBranches BranchReader::read(const std::vector<CodeRange>& ranges,
                                    const std::function<bool(std::uint64_t)>& owned) {
  FunctionBranches out;
  for (const auto& range : ranges) sweep(range.begin, range.end, false, out);
  const std::size_t own = out.branches.size();
  std::vector<std::uint64_t> side;
  for (std::size_t i = 0; i < own; ++i) {
    const Branch branch = out.branches[i];
    if (branch.kind == BranchKind::indirect) {
      resolve_table(out.branches[i], ranges, out);
    } else if ((branch.kind == BranchKind::jump || branch.kind == BranchKind::conditional) &&
               branch.target != 0 && !owned(branch.target) && code_->executable(branch.target)) {
      side.push_back(branch.target);
    }
  }
  std::sort(side.begin(), side.end());
  side.erase(std::unique(side.begin(), side.end()), side.end());
  for (const auto address : side) sweep(address, address + kMaxSideCode, true, out);
  std::stable_sort(out.branches.begin(), out.branches.end(),
                   [](const Branch& a, const Branch& b) { return a.address < b.address; });
  // Pieces of side code may overlap.
  out.branches.erase(std::unique(out.branches.begin(), out.branches.end(),
                                 [](const Branch& a, const Branch& b) { return a.address == b.address; }),
                     out.branches.end());
  return out;
}

}  // namespace hap::resolve
