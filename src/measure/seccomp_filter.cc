#include "measure/seccomp_filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <tuple>

#include "base/checked_reader.h"

namespace hap::measure {
namespace {

constexpr size_t max_states = size_t{1} << 20;

// A 32-bit value of the machine: known, or dependent on arguments.
using Value = std::optional<uint32_t>;

struct State {
  size_t pc = 0;
  Value a = 0;
  Value x = 0;
  std::array<Value, BPF_MEMWORDS> memory{};
  auto key() const { return std::tie(pc, a, x, memory); }
  bool operator<(const State& other) const { return key() < other.key(); }
};

Error refused(size_t pc, const char* why) {
  return Error("instruction " + std::to_string(pc) + " of the seccomp filter " + why, ErrorKind::corrupt);
}

bool executes(uint32_t action) {
  return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

bool may_execute(uint32_t action) {
  return executes(action) || action == SECCOMP_RET_TRACE || action == SECCOMP_RET_USER_NOTIF;
}

Value load(uint32_t offset, uint32_t number, uint32_t architecture) {
  if (offset == offsetof(seccomp_data, nr)) return number;
  if (offset == offsetof(seccomp_data, arch)) return architecture;
  return std::nullopt;  // instruction pointer and arguments are the attacker's
}

Value compute(uint16_t operation, Value left, Value right) {
  if (!left || !right) return std::nullopt;
  switch (operation) {
    case BPF_ADD:
      return *left + *right;
    case BPF_SUB:
      return *left - *right;
    case BPF_MUL:
      return *left * *right;
    case BPF_DIV:
      return *right == 0 ? Value() : Value(*left / *right);
    case BPF_MOD:
      return *right == 0 ? Value() : Value(*left % *right);
    case BPF_OR:
      return *left | *right;
    case BPF_AND:
      return *left & *right;
    case BPF_XOR:
      return *left ^ *right;
    case BPF_LSH:
      return *right > 31 ? Value(0) : Value(*left << *right);
    case BPF_RSH:
      return *right > 31 ? Value(0) : Value(*left >> *right);
    default:
      return std::nullopt;
  }
}

std::optional<bool> holds(uint16_t operation, Value left, Value right) {
  if (!left || !right) return std::nullopt;
  switch (operation) {
    case BPF_JEQ:
      return *left == *right;
    case BPF_JGT:
      return *left > *right;
    case BPF_JGE:
      return *left >= *right;
    default:
      return (*left & *right) != 0;  // BPF_JSET
  }
}

// Follows every path through the program that some argument could take.
class Evaluation {
 public:
  Evaluation(const FilterProgram& program, uint32_t number, uint32_t architecture)
      : program_(program), number_(number), architecture_(architecture) {}

  Result<Permission> run() {
    visit(State());
    while (!pending_.empty()) {
      if (seen_.size() > max_states)
        return Error("the seccomp filter has too many paths", ErrorKind::corrupt);
      State state = pending_.back();
      pending_.pop_back();
      HAP_CHECK(step(state));
    }
    if (executing_ == 0 && undecided_ == 0) return Permission::denied;
    return refusing_ == 0 && undecided_ == 0 ? Permission::allowed : Permission::conditional;
  }

 private:
  void visit(State state) {
    if (seen_.insert(state).second) pending_.push_back(std::move(state));
  }

  void conclude(uint32_t value) {
    const uint32_t action = value & SECCOMP_RET_ACTION_FULL;
    if (executes(action)) {
      ++executing_;
    } else if (may_execute(action)) {
      ++undecided_;
    } else {
      ++refusing_;
    }
  }

  Status step(State state) {
    if (state.pc >= program_.size()) return refused(state.pc, "lies outside");
    const auto& instruction = program_[state.pc];
    const size_t here = state.pc++;
    switch (BPF_CLASS(instruction.code)) {
      case BPF_LD:
      case BPF_LDX:
        return step_load(instruction, here, std::move(state));
      case BPF_ST:
      case BPF_STX:
        return step_store(instruction, here, std::move(state));
      case BPF_ALU:
        return step_alu(instruction, std::move(state));
      case BPF_JMP:
        return step_jump(instruction, std::move(state));
      case BPF_RET:
        return step_return(instruction, state);
      default:
        return step_move(instruction, std::move(state));  // BPF_MISC
    }
  }

  Status step_load(const FilterInstruction& instruction, size_t here, State state) {
    Value value;
    switch (BPF_MODE(instruction.code)) {
      case BPF_IMM:
        value = instruction.k;
        break;
      case BPF_MEM:
        if (instruction.k >= BPF_MEMWORDS) return refused(here, "reads outside the scratch memory");
        value = state.memory[instruction.k];
        break;
      case BPF_ABS:
        if (instruction.k >= sizeof(seccomp_data) || instruction.k % 4 != 0)
          return refused(here, "reads outside the call");
        value = load(instruction.k, number_, architecture_);
        break;
      case BPF_LEN:
        value = sizeof(seccomp_data);
        break;
      default:
        return refused(here, "is not allowed in a seccomp filter");
    }
    (BPF_CLASS(instruction.code) == BPF_LD ? state.a : state.x) = value;
    visit(std::move(state));
    return {};
  }

  Status step_store(const FilterInstruction& instruction, size_t here, State state) {
    if (instruction.k >= BPF_MEMWORDS) return refused(here, "writes outside the scratch memory");
    state.memory[instruction.k] = BPF_CLASS(instruction.code) == BPF_ST ? state.a : state.x;
    visit(std::move(state));
    return {};
  }

  Status step_alu(const FilterInstruction& instruction, State state) {
    const uint16_t operation = BPF_OP(instruction.code);
    const Value right = BPF_SRC(instruction.code) == BPF_K ? Value(instruction.k) : state.x;
    state.a =
        operation == BPF_NEG ? (state.a ? Value(0 - *state.a) : Value()) : compute(operation, state.a, right);
    visit(std::move(state));
    return {};
  }

  Status step_jump(const FilterInstruction& instruction, State state) {
    const uint16_t operation = BPF_OP(instruction.code);
    if (operation == BPF_JA) {
      state.pc += instruction.k;
      visit(std::move(state));
      return {};
    }
    const Value right = BPF_SRC(instruction.code) == BPF_K ? Value(instruction.k) : state.x;
    const auto taken = holds(operation, state.a, right);
    State other = state;
    if (!taken || *taken) {
      state.pc += instruction.jump_true;
      visit(std::move(state));
    }
    if (!taken || !*taken) {
      other.pc += instruction.jump_false;
      visit(std::move(other));
    }
    return {};
  }

  Status step_return(const FilterInstruction& instruction, const State& state) {
    const Value value = BPF_RVAL(instruction.code) == BPF_A ? state.a : Value(instruction.k);
    if (value) {
      conclude(*value);
    } else {
      ++undecided_;  // the action itself depends on an argument
    }
    return {};
  }

  Status step_move(const FilterInstruction& instruction, State state) {
    if (BPF_MISCOP(instruction.code) == BPF_TAX) {
      state.x = state.a;
    } else {
      state.a = state.x;
    }
    visit(std::move(state));
    return {};
  }

  const FilterProgram& program_;
  uint32_t number_;
  uint32_t architecture_;
  std::vector<State> pending_;
  std::set<State> seen_;
  size_t executing_ = 0;
  size_t refusing_ = 0;
  size_t undecided_ = 0;
};

}  // namespace

Result<FilterProgram> parse_filter(std::span<const std::byte> bytes) {
  constexpr size_t instruction_size = 8;
  if (bytes.empty() || bytes.size() % instruction_size != 0 ||
      bytes.size() / instruction_size > BPF_MAXINSNS) {
    return Error("a seccomp filter of " + std::to_string(bytes.size()) + " bytes is none",
                 ErrorKind::corrupt);
  }
  CheckedReader reader(bytes);
  FilterProgram program;
  while (!reader.at_end()) {
    FilterInstruction instruction;
    instruction.code = reader.read<uint16_t>();
    instruction.jump_true = reader.read<uint8_t>();
    instruction.jump_false = reader.read<uint8_t>();
    instruction.k = reader.read<uint32_t>();
    program.push_back(instruction);
  }
  return program;
}

Result<Permission> evaluate(const FilterProgram& program, uint32_t number, uint32_t architecture) {
  return Evaluation(program, number, architecture).run();
}

Result<Permission> evaluate_all(const std::vector<FilterProgram>& programs, uint32_t number,
                                uint32_t architecture) {
  Permission strictest = Permission::allowed;
  for (const auto& program : programs) {
    HAP_TRY(permission, evaluate(program, number, architecture));
    strictest = std::min(strictest, permission);
  }
  return strictest;
}

}  // namespace hap::measure
