#include "resolve/control_flow.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "resolve/branches.h"
#include "resolve/code_bytes.h"

namespace hap::resolve {

namespace {

// Functions of other images that never return, so that the code behind a call is not its continuation: the
// kernel's (tools/objtool/noreturns.h names the same) for modules, libc's for programs.
constexpr std::array<std::string_view, 24> kNoReturn{"__assert_fail",
                                                     "__chk_fail",
                                                     "__cxa_rethrow",
                                                     "__cxa_throw",
                                                     "__fortify_panic",
                                                     "__fortify_fail",
                                                     "__libc_start_main",
                                                     "__module_put_and_kthread_exit",
                                                     "__stack_chk_fail",
                                                     "_exit",
                                                     "_Unwind_Resume",
                                                     "abort",
                                                     "do_exit",
                                                     "do_group_exit",
                                                     "err",
                                                     "errx",
                                                     "exit",
                                                     "kthread_complete_and_exit",
                                                     "kthread_exit",
                                                     "longjmp",
                                                     "make_task_dead",
                                                     "panic",
                                                     "pthread_exit",
                                                     "rewind_stack_and_make_dead"};

// Calls that the kernel turns into nops before anything runs.
constexpr std::string_view kPatchedAway = "__fentry__";

struct FunctionCode {
  FunctionBranches flow;
  std::vector<std::uint64_t> entries;  // of copies of the function
  std::vector<std::uint64_t> parts;    // of pieces that the compiler split off (.part)
};

class CodeAnalysis {
 public:
  CodeAnalysis(ImageCode& image, const CodeBytes& code) : image_(image), model_(image.model), code_(code) {
    functions_.resize(model_.functions.size());
  }

  Status run(unsigned threads, const IndexProgress& progress) {
    find_entries();
    HAP_CHECK(decode(threads, progress));
    find_noreturn();
    for (std::uint32_t id = 0; id < functions_.size(); ++id) {
      model_.functions[id].complexity = complexity(id);
      find_calls(id);
    }
    if (model_.kind == ImageKind::kernel) find_syscalls();
    return {};
  }

 private:
  void find_entries() {
    for (const auto& symbol : model_.symbols) {
      if (!symbol.function || symbol.name.starts_with("__pfx_") ||
          symbol.name.find(".cold") != symbol.name.npos) {
        continue;
      }
      const std::uint32_t id = model_.function_at(symbol.address);
      if (id == kNone) continue;
      auto& list =
          symbol.name.find(".part.") != symbol.name.npos ? functions_[id].parts : functions_[id].entries;
      if (list.empty() || list.back() != symbol.address) list.push_back(symbol.address);
    }
    for (std::uint32_t id = 0; id < functions_.size(); ++id) {
      const auto& ranges = model_.functions[id].ranges;
      if (functions_[id].entries.empty() && functions_[id].parts.empty() && !ranges.empty()) {
        functions_[id].entries.push_back(ranges.front().begin);
      }
    }
  }

  Status decode(unsigned threads, const IndexProgress& progress) {
    std::atomic<std::size_t> next{0};
    std::mutex reporting;
    std::optional<Error> failure;
    constexpr std::size_t batch = 256;
    const auto owned = [this](std::uint64_t address) { return model_.function_at(address) != kNone; };
    const auto work = [&] {
      auto reader = BranchReader::open(code_);
      if (!reader) {
        const std::lock_guard lock(reporting);
        failure = reader.error();
        return;
      }
      for (std::size_t first = next.fetch_add(batch); first < functions_.size();
           first = next.fetch_add(batch)) {
        const std::size_t last = std::min(first + batch, functions_.size());
        for (std::size_t id = first; id < last; ++id) {
          if (model_.functions[id].out_of_line)
            functions_[id].flow = reader->read(model_.functions[id].ranges, owned);
        }
        const std::lock_guard lock(reporting);
        if (progress)
          progress("machine code", static_cast<double>(last) / static_cast<double>(functions_.size()));
      }
    };
    {
      std::vector<std::jthread> workers;
      for (unsigned i = 1; i < threads; ++i) workers.emplace_back(work);
      work();
    }
    if (failure) return *failure;
    return {};
  }

  static std::size_t branch_from(const FunctionCode& code, std::uint64_t address) {
    const auto& branches = code.flow.branches;
    return std::lower_bound(
               branches.begin(), branches.end(), address,
               [](const Branch& branch, std::uint64_t value) { return branch.address < value; }) -
           branches.begin();
  }

  bool returns(const Branch& call) const {
    if (!call.import.empty())
      return std::find(kNoReturn.begin(), kNoReturn.end(), call.import) == kNoReturn.end();
    if (call.target == 0) return true;
    const std::uint32_t callee = model_.function_at(call.target);
    return callee == kNone || !model_.functions[callee].noreturn;
  }

  // Result of walking the blocks from one entry.
  struct Walk {
    std::uint32_t decisions = 0;
    bool leaves = false;  // some way out of the function was found
  };

  // `seen`: one flag per branch, shared by walks that belong together.
  Walk walk(std::uint32_t id, std::uint64_t entry, std::vector<bool>& seen) const {
    const FunctionCode& code = functions_[id];
    const auto& branches = code.flow.branches;
    const auto& ranges = model_.functions[id].ranges;
    Walk result;
    std::vector<std::uint64_t> open{entry};
    while (!open.empty()) {
      std::uint64_t at = open.back();
      open.pop_back();
      const std::uint64_t end = end_of_code(ranges, at);
      for (std::size_t i = branch_from(code, at); i < branches.size() && !seen[i]; ++i) {
        const Branch& branch = branches[i];
        if (branch.address >= end) break;  // runs into padding: a call that does not return came before
        seen[i] = true;
        bool on = false;
        switch (branch.kind) {
          case BranchKind::end:
            result.leaves = true;
            break;
          case BranchKind::indirect:
            result.leaves = true;
            break;
          case BranchKind::jump:
            follow(id, branch, open, result);
            break;
          case BranchKind::conditional:
          case BranchKind::static_key:
            ++result.decisions;
            follow(id, branch, open, result);
            on = true;
            break;
          case BranchKind::table:
            result.decisions += branch.table_size - 1;
            for (std::uint32_t t = 0; t < branch.table_size; ++t)
              open.push_back(code.flow.targets[branch.table + t]);
            break;
          case BranchKind::call:
            on = returns(branch);
            break;
        }
        if (!on) break;
      }
    }
    return result;
  }

  void follow(std::uint32_t id, const Branch& branch, std::vector<std::uint64_t>& open, Walk& result) const {
    if (branch.target != 0 && branch.import.empty()) {
      const std::uint32_t owner = model_.function_at(branch.target);
      if (owner == id || (owner == kNone && code_.executable(branch.target))) {
        open.push_back(branch.target);
        return;
      }
      if (owner != kNone && model_.functions[owner].noreturn) return;
    } else if (!returns(branch)) {
      return;
    }
    result.leaves = true;  // a tail call
  }

  // End of the function's range around an address; code outside (side code) is not limited here.
  static std::uint64_t end_of_code(const std::vector<CodeRange>& ranges, std::uint64_t address) {
    for (const auto& range : ranges) {
      if (address >= range.begin && address < range.end) return range.end;
    }
    return ~std::uint64_t{0};
  }

  // A C function from whose entries no way out is found does not return, so calls of it end a block; and so
  // on until nothing changes. Calls of such functions make others such functions.
  void find_noreturn() {
    std::vector<std::uint32_t> pending;
    std::vector<std::vector<std::uint32_t>> callers(functions_.size());
    for (std::uint32_t id = 0; id < functions_.size(); ++id) {
      if (!model_.functions[id].out_of_line) continue;
      pending.push_back(id);
      for (const auto& branch : functions_[id].flow.branches) {
        if (branch.target == 0 || branch.kind == BranchKind::indirect) continue;
        const std::uint32_t callee = model_.function_at(branch.target);
        if (callee != kNone && callee != id) callers[callee].push_back(id);
      }
    }
    while (!pending.empty()) {
      const std::uint32_t id = pending.back();
      pending.pop_back();
      ModelFunction& function = model_.functions[id];
      const FunctionCode& code = functions_[id];
      if (function.noreturn || function.assembly || code.flow.undecoded != 0) continue;
      bool leaves = code.flow.branches.empty();
      std::vector<bool> seen(code.flow.branches.size());
      for (const auto entry : code.entries) leaves |= walk(id, entry, seen).leaves;
      for (const auto entry : code.parts) leaves |= walk(id, entry, seen).leaves;
      if (leaves) continue;
      function.noreturn = true;
      pending.insert(pending.end(), callers[id].begin(), callers[id].end());
    }
  }

  std::uint32_t complexity(std::uint32_t id) const {
    const FunctionCode& code = functions_[id];
    if (!model_.functions[id].out_of_line || code.flow.undecoded != 0) return 0;
    // Of several copies the most complex one counts; parts split off it add their decisions once.
    std::uint32_t highest = 0;
    std::vector<bool> seen_by_highest(code.flow.branches.size());
    for (const auto entry : code.entries) {
      std::vector<bool> seen(code.flow.branches.size());
      const std::uint32_t decisions = walk(id, entry, seen).decisions;
      if (decisions >= highest) {
        highest = decisions;
        seen_by_highest = std::move(seen);
      }
    }
    for (const auto entry : code.parts) highest += walk(id, entry, seen_by_highest).decisions;
    return highest + 1;
  }

  void find_calls(std::uint32_t id) {
    ModelFunction& function = model_.functions[id];
    for (const auto& branch : functions_[id].flow.branches) {
      if (!branch.import.empty()) {
        if (branch.import != kPatchedAway) function.imports.push_back(branch.import);
        continue;
      }
      if (branch.target == 0 || branch.kind == BranchKind::indirect) continue;
      const std::uint32_t callee = model_.function_at(branch.target);
      if (callee == kNone || callee == id || model_.functions[callee].name == kPatchedAway) continue;
      function.callees.push_back(callee);
    }
    const auto unique = [](auto& list) {
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
    };
    unique(function.callees);
    unique(function.imports);
  }

  // Since Linux 6.9 (1e3ad78334a6) the table serves the tracer only, but it still lists every entry.
  void find_syscalls() {
    for (const auto& symbol : image_.code->symbols()) {
      if (symbol.name != "sys_call_table" || symbol.section == 0) continue;
      for (std::uint32_t number = 0; number < symbol.size / 8; ++number) {
        const auto entry = code_.read<std::uint64_t>(symbol.address + 8 * std::uint64_t{number});
        if (!entry) return;
        const std::uint32_t function = model_.function_at(*entry);
        if (function != kNone) model_.syscalls.emplace_back(number, function);
      }
      return;
    }
  }

  ImageCode& image_;
  CodeModel& model_;
  const CodeBytes& code_;
  std::vector<FunctionCode> functions_;
};

}  // namespace

Status analyse_code(ImageCode& image, unsigned threads, const IndexProgress& progress) {
  HAP_TRY(code, CodeBytes::load(*image.code));
  return CodeAnalysis(image, code).run(std::max(threads, 1u), progress);
}

}  // namespace hap::resolve
