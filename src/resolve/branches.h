// The instructions of a function that decide where control goes next.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "hap/resolver.h"
#include "resolve/code_bytes.h"

namespace hap::resolve {

enum class BranchKind : std::uint8_t {
  jump,         // to `target`
  conditional,  // to `target`, or on
  table,        // to one of several targets: a switch
  indirect,     // to an address that only run time knows
  call,         // to `target` (0: indirect, or an import), and on when it returns
  end,          // ret, iret, sysret, ud2 of BUG, int3: control leaves the function
  static_key,   // a nop, or a jump, that the kernel patches: both ways are possible
};

struct Branch {
  std::uint64_t address = 0;
  std::uint64_t next = 0;    // address behind the instruction
  std::uint64_t target = 0;  // direct ones
  std::uint32_t table = 0;   // first of its targets in FunctionBranches::targets
  std::uint32_t table_size = 0;
  BranchKind kind = BranchKind::end;
  std::string_view import;  // symbol of another image that is called or jumped to
};

struct FunctionBranches {
  std::vector<Branch> branches;        // ascending by address
  std::vector<std::uint64_t> targets;  // of tables, distinct
  std::uint32_t undecoded = 0;         // places that the decoder does not know
};

// Decodes the machine code of functions. Holds two Capstone handles; one object per thread.
class BranchReader {
 public:
  static Result<BranchReader> open(const CodeBytes& code);
  BranchReader(BranchReader&& other) noexcept;
  BranchReader& operator=(BranchReader&&) = delete;
  ~BranchReader();

  // `ranges`: all code of the function, ascending. Code that no function owns and that the function jumps to
  // (the kernel's .altinstr_aux) is read along: `owned` tells whether an address belongs to some function.
  FunctionBranches read(const std::vector<CodeRange>& ranges,
                        const std::function<bool(std::uint64_t)>& owned);

 private:
  explicit BranchReader(const CodeBytes& code) : code_(&code) {}
  void sweep(std::uint64_t begin, std::uint64_t end, bool stop_at_end, FunctionBranches& out);
  void resolve_table(Branch& branch, const std::vector<CodeRange>& ranges, FunctionBranches& out);

  const CodeBytes* code_;
  std::size_t plain_ = 0;              // csh without details: fast
  std::size_t detailed_ = 0;           // csh with operands
  std::vector<std::uint64_t> recent_;  // addresses of the last instructions, oldest first
};

}  // namespace hap::resolve
