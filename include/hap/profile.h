// A profile: which functions and source lines executed in which layer, on whose behalf, and when.
//
//   Recording (facts) + Resolver (names) --Profile::build--> Profile --select()--> figures (hap/metric.h)
//
// Every hit of the recording gets exactly one account: whose code it is (layer), in what manner it ran
// (context), whose thread it was (role), and how it stands to the sandbox (standing). Hits that do not
// concern the sandbox get an account too, so the accounts' hits always add up to those of the recording.
// docs/attribution.md has the rules and their reasons.
//
// Functions, lines and files are numbered densely from 0 within one profile, and have the same number in no
// other one. Code of the kernel and its modules is one code base, so a header's inline function counts once
// however many modules have a copy; the kernel of a guest is another code base, and so is each user-space
// file.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hap/recording.h"
#include "hap/resolver.h"
#include "hap/result.h"

namespace hap {

// Whose code.
enum class Layer : uint8_t { application, sandbox, guest_kernel, host_daemon, host_kernel, hypervisor };
// Every layer, from the tenant's own code to the hypervisor's.
inline constexpr Layer all_layers[] = {Layer::application, Layer::sandbox,     Layer::guest_kernel,
                                       Layer::host_daemon, Layer::host_kernel, Layer::hypervisor};
std::string_view to_string(Layer layer);  // "guest-kernel"
// The layer of that name; empty: there is none.
std::optional<Layer> layer_from(std::string_view name);

// In what manner it ran.
enum class Context : uint8_t { task, vcpu, kthread, softirq, hardirq, nmi };
// Every context, in the order in which reports list them.
inline constexpr Context all_contexts[] = {Context::task,    Context::vcpu,    Context::kthread,
                                           Context::softirq, Context::hardirq, Context::nmi};
// "task", "vcpu", ...
std::string_view to_string(Context context);
// The context of that name; empty: there is none.
std::optional<Context> context_from(std::string_view name);

// What the sandbox declared a thread to be (ScopeRule::role).
enum class Role : uint8_t { none, application, sandbox, vcpu, host_daemon, load };
// "application", "host-daemon", ...
std::string_view to_string(Role role);
// The role of that name; empty: there is none.
std::optional<Role> role_from(std::string_view name);

// How the code stands to the sandbox.
enum class Standing : uint8_t {
  own,        // its threads' own doing, and deferred work that they queued
  softirq,    // soft interrupts run synchronously by its threads, or received for its sockets and devices
  interrupt,  // what interrupted its threads without being theirs: hardirq, nmi, softirq of nobody known
  daemon,     // host daemons that work for it
  load,       // the load generator
  outside,    // everybody else
};
// "own", "softirq", ...
std::string_view to_string(Standing standing);

// What is said of a hit: the four questions above, answered.
struct Account {
  Layer layer = Layer::host_kernel;       // whose code
  Context context = Context::task;        // in what manner it ran
  Role role = Role::none;                 // what the thread was declared to be
  Standing standing = Standing::outside;  // how the code stands to the sandbox
  bool emulation = false;                 // runs only because the emulated processor lacks assists

  // By layer, context, role, standing, emulation.
  friend auto operator<=>(const Account&, const Account&) = default;
};

// Totals of one account.
struct AccountTotal {
  Account account;          // the account
  uint64_t hits = 0;        // (block, actor) pairs; sums to Recording::hit_count()
  uint64_t serve_hits = 0;  // of them seen in phase serve
};

// A function of the profile, or a label for code of no known function.
struct ProfileFunction {
  std::string name;                    // as in the source, or the label
  std::string file;                    // empty: unknown
  uint32_t line = 0;                   // declaration; 0: unknown
  std::optional<uint32_t> lines;       // source lines of the whole function
  std::optional<uint32_t> complexity;  // cyclomatic
  uint64_t size = 0;                   // bytes of machine code of all its out-of-line copies
  bool label = false;                  // stands for code of no known function: [unresolved], [kvm], [jit]...
  bool assembly = false;               // from an assembler source
  uint32_t subsystem = 0;              // into Profile::subsystems()
  uint32_t image = 0;                  // into Profile::images(), the first it was seen in
};

// A source line of the profile.
struct ProfileLine {
  uint32_t file = 0;  // into Profile::files()
  uint32_t line = 0;  // from 1
};

// A source file of the profile.
struct ProfileFile {
  std::string path;        // kernel: relative to the source tree
  uint32_t subsystem = 0;  // of code in this file
  uint32_t code_base = 0;  // files of the same path in different code bases are different files
};

// An image of the recording, and whether its symbols were there.
struct ProfileImage {
  std::string path;                    // as recorded
  ImageKind kind = ImageKind::kernel;  // kernel, module, user file, ...
  Space space = Space::host;           // whose machine: the host's or a guest's
  bool indexed = false;                // symbols were there
  std::string why_not;                 // when not
};

// Which hits to look at: accounts and windows. Made by Profile::select().
struct Selection {
  std::vector<uint8_t> accounts;  // by account number: 1 = selected
  std::vector<uint64_t> windows;  // bit set over window numbers (positions in Profile::windows())
};

// A check against the ways in which a measurement silently becomes wrong.
struct Guard {
  // What a check found; unknown: it could not be made.
  enum class Outcome { passed, failed, unknown };
  std::string name;                     // "load served"
  Outcome outcome = Outcome::unknown;   // what it found
  std::string detail;                   // what was found, and what it means
  ErrorKind blame = ErrorKind::failed;  // when failed: sandbox, workload or collector (failed)
};

// See the top of this file. Holds everything it gives out; views live as long as it does.
class Profile {
 public:
  // `resolver` was opened for the images of this recording, in its order; it is not kept.
  static Result<Profile> build(const Recording& recording, const Resolver& resolver);

  Profile(Profile&&) noexcept;
  Profile& operator=(Profile&&) noexcept;
  ~Profile();

  // From the recording, unchanged.
  const RecordingHeader& header() const;
  std::string meta(const std::string& key) const;  // "" when there is none
  bool exact() const;                              // basic blocks, not function entries

  // Every check that was made, passed or not.
  const std::vector<Guard>& guards() const;
  // The first failed guard as an error, with what to do about it.
  Status usable() const;

  // Totals of every account, in no particular order.
  std::span<const AccountTotal> accounts() const;
  // In the recording's order.
  std::span<const ProfileImage> images() const;
  // Source folders ("net/ipv4"), and labels in brackets for code without one.
  std::span<const std::string> subsystems() const;
  // By number.
  std::span<const ProfileFile> files() const;
  // By number.
  std::span<const ProfileFunction> functions() const;
  // By number.
  std::span<const ProfileLine> lines() const;
  // In time.
  std::span<const Window> windows() const;

  // Hits of accounts that `wanted` accepts, in windows of `phase` (none: all phases).
  Selection select(const std::function<bool(const Account&)>& wanted,
                   std::optional<Phase> phase = Phase::serve) const;

  // What of the selection executed, each list ascending.
  std::vector<uint32_t> functions_hit(const Selection& selection) const;  // out-of-line functions, no labels
  std::vector<uint32_t> functions_inlined(const Selection& selection) const;  // seen inlined into others
  // Labels of code of no known function.
  std::vector<uint32_t> labels_hit(const Selection& selection) const;
  // Source lines, those of inlined code in its own file.
  std::vector<uint32_t> lines_hit(const Selection& selection) const;
  // Bytes of machine code executed, each byte once although blocks overlap. Null for a function collector.
  std::optional<uint64_t> bytes_executed(const Selection& selection) const;
  // By function: the bytes executed in its out-of-line code, and the lines executed within it (its own and
  // those of its inlined copies). Sized as functions().
  std::vector<uint64_t> bytes_by_function(const Selection& selection) const;
  // Sized as functions(): the lines executed within each.
  std::vector<uint32_t> lines_by_function(const Selection& selection) const;
  // Addresses of the selection that no function covers.
  uint64_t unresolved_blocks(const Selection& selection) const;
  // Distinct pieces of code.
  uint64_t blocks_hit(const Selection& selection) const;

  // Windows of the selection in which the function ran (out of line, or at all), positions in windows().
  std::vector<uint32_t> windows_of_function(uint32_t function, const Selection& selection,
                                            bool with_inlined = false) const;
  // Calls `visit` for each function (no labels), line or block seen in the selection, with the windows it was
  // seen in, ascending. Windows are numbered 0, 1, 2... in their order within the selection. hap/metric.h
  // makes the estimators' Incidence of them.
  using VisitWindows = std::function<void(uint32_t item, std::span<const uint32_t> windows)>;
  // How many windows are selected.
  static uint32_t window_count(const Selection& selection);
  // Functions; labels are left out.
  void for_each_function_windows(const Selection& selection, const VisitWindows& visit) const;
  // Source lines.
  void for_each_line_windows(const Selection& selection, const VisitWindows& visit) const;
  // Pieces of code, by the block's number in the recording.
  void for_each_block_windows(const Selection& selection, const VisitWindows& visit) const;

 private:
  struct Impl;
  explicit Profile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The selections that figures are made of.
struct HapOptions {
  bool with_softirq = false;   // hap_with_softirq
  bool with_emulation = true;  // false: without what only the emulated processor needs
};
// Host kernel or hypervisor, on the tenant's behalf: the horizontal attack profile.
bool counts_as_hap(const Account& account, const HapOptions& options = {});
// All layers: the vertical attack profile.
bool counts_as_vap(const Account& account);
// Stage 1: the VMM's or Sentry's own code, which the tenant talks to. Stage 2: host code that those call.
bool counts_as_stage1(const Account& account);
// See counts_as_stage1().
bool counts_as_stage2(const Account& account);

// Kernel source folder, two levels ("net/ipv4", "mm", "arch/x86").
std::string subsystem_of_path(std::string_view path);

}  // namespace hap
