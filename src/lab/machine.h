// A running lab machine: QEMU, the line to its agent and its control line.
//
// It ends with this object, and also when the process is killed: QEMU gets SIGKILL from the kernel when the
// *thread* that started it ends (prctl PR_SET_PDEATHSIG), so start machines from a thread that lives as long.
// Sockets are pairs of inherited descriptors and logs are anonymous memory: nothing is left in any folder.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/subprocess.h"
#include "hap/result.h"
#include "lab/guest_link.h"
#include "lab/qemu.h"
#include "lab/qmp.h"
#include "lab/spec.h"

namespace hap::lab {

struct LaunchOptions {
  std::vector<std::string> arguments;  // of QEMU, behind the usual ones: plugins, -incoming
  std::vector<int> keep_fds;           // stay open in QEMU under the same numbers
  // The guest's console on this process's standard input and output instead of console().
  bool console_on_terminal = false;
};

class Machine {
 public:
  // Starts QEMU. The guest boots, or (with `-incoming defer` among the arguments) waits for its state.
  static Result<Machine> launch(const LabSpec& spec, MachineParts parts, const LaunchOptions& options,
                                const CancelToken& cancel);

  Machine(Machine&&) noexcept = default;
  Machine& operator=(Machine&&) noexcept = default;

  GuestLink& guest() { return *guest_; }
  Qmp& qmp() { return *qmp_; }

  // GuestLink::call, with the machine's last words in the Error when it died.
  Result<Message> call(const std::string& op, nlohmann::json request, const CancelToken& cancel,
                       std::chrono::milliseconds timeout = std::chrono::seconds(60),
                       std::string_view blob = {}, const EventHandler& on_event = {});
  // Explains an Error of the lines: QEMU's messages and the guest's console are added if QEMU has ended.
  Error explain(const Error& error);

  // Freezes the guest and writes its state to a file.
  Status save(const std::string& file, const CancelToken& cancel);
  // Reads a state saved before; the guest stays frozen. QEMU must have been launched with `-incoming defer`.
  Status load(const std::string& file, const CancelToken& cancel);
  Status resume(const CancelToken& cancel);
  // Ends QEMU in an orderly way, so that plugins write what they have (they run at exit), and waits for it.
  // `timeout`: how long that may take before it is killed, which is an Error.
  Status quit(const CancelToken& cancel, std::chrono::milliseconds timeout = std::chrono::seconds(60));

  pid_t pid() const { return qemu_.pid(); }
  // What the guest wrote to its console, and what QEMU and its plugins wrote to standard error, so far.
  std::string console() const;
  std::string messages() const;

 private:
  Machine(Subprocess qemu, UniqueFd console, UniqueFd messages)
      : qemu_(std::move(qemu)), console_(std::move(console)), messages_(std::move(messages)) {}
  // Polls until the migration has ended.
  Status finish_migration(const CancelToken& cancel);

  Subprocess qemu_;
  UniqueFd console_;
  UniqueFd messages_;
  std::unique_ptr<GuestLink> guest_;
  std::unique_ptr<Qmp> qmp_;
};

}  // namespace hap::lab
