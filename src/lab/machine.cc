#include "lab/machine.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "lab/memory_log.h"

namespace hap::lab {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr size_t kLogTail = 4000;

struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};

Result<SocketPair> make_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return Error::from_errno("cannot create a socket pair", errno);
  }
  return SocketPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// The end of a log, without the control sequences of the firmware's screen.
std::string printable_tail(const std::string& text) {
  std::string tail;
  for (unsigned char c : text.substr(text.size() > kLogTail ? text.size() - kLogTail : 0)) {
    if (c == '\n' || (c >= 0x20 && c < 0x7f)) tail += static_cast<char>(c);
  }
  while (!tail.empty() && tail.back() == '\n') tail.pop_back();
  return tail;
}

bool lines_closed(const Error& error) {
  return error.message().ends_with(kMachineEnded);
}

}  // namespace

Result<Machine> Machine::launch(const LabSpec& spec, MachineParts parts, const LaunchOptions& how,
                                const CancelToken& cancel) {
  HAP_CHECK(check_spec(spec));
  if (!spec.hypervisor.empty() && parts.kernel.find(' ') != std::string::npos) {
    return Error("QEMU cannot boot a hypervisor's kernel from a path with a space", ErrorKind::usage)
        .at(parts.kernel)
        .hint("set HAP_CACHE_DIR to another folder");
  }
  HAP_TRY(agent, make_pair());
  HAP_TRY(control, make_pair());
  HAP_TRY(console, make_memory_log("hap-console"));
  HAP_TRY(messages, make_memory_log("hap-qemu-messages"));
  parts.agent_fd = agent.theirs.get();
  parts.qmp_fd = control.theirs.get();
  SpawnOptions options;
  options.argv = machine_command(spec, parts);
  options.argv.insert(options.argv.end(), how.arguments.begin(), how.arguments.end());
  options.stdin_fd = how.console_on_terminal ? STDIN_FILENO : -1;
  options.stdout_fd = how.console_on_terminal ? STDOUT_FILENO : console.get();
  options.stderr_fd = messages.get();
  // A process group in the background may not read the terminal.
  options.own_process_group = !how.console_on_terminal;
  options.keep_fds = how.keep_fds;
  options.keep_fds.insert(options.keep_fds.end(), {agent.theirs.get(), control.theirs.get()});
  HAP_TRY(qemu, Subprocess::spawn(options));
  Machine machine(std::move(qemu), std::move(console), std::move(messages));
  int pidfd = machine.qemu_.pidfd();
  machine.guest_ = std::make_unique<GuestLink>(PeerSocket(std::move(agent.ours), pidfd));
  machine.qmp_ = std::make_unique<Qmp>(PeerSocket(std::move(control.ours), pidfd));
  agent.theirs.reset();
  control.theirs.reset();
  if (auto greeted = machine.qmp_->greet(cancel); !greeted) {
    return machine.explain(greeted.error()).context("starting QEMU");
  }
  return machine;
}

Result<Message> Machine::call(const std::string& op, json request, const CancelToken& cancel,
                              std::chrono::milliseconds timeout, std::string_view blob,
                              const EventHandler& on_event) {
  auto reply = guest_->call(op, std::move(request), cancel, timeout, blob, on_event);
  if (!reply) return explain(reply.error());
  return reply;
}

Error Machine::explain(const Error& error) {
  // Its lines close a moment before QEMU has ended.
  auto status = qemu_.wait_for(lines_closed(error) ? 5s : 0s);
  if (!status || !*status) return error;
  std::string words = printable_tail(messages());
  if (std::string guest = printable_tail(console()); !guest.empty()) {
    words += std::string(words.empty() ? "" : "\n") + "console of the machine:\n" + guest;
  }
  if (words.empty()) return error;
  return Error(error.message() + "\n" + words, error.kind()).hint(error.hint());
}

Status Machine::finish_migration(const CancelToken& cancel) {
  const auto deadline = std::chrono::steady_clock::now() + 300s;
  while (std::chrono::steady_clock::now() < deadline) {
    auto state = qmp_->execute("query-migrate", json::object(), cancel);
    if (!state) return explain(state.error());
    std::string status = state->value("status", "none");
    if (status == "completed") return {};
    if (status == "failed" || status == "cancelled") {
      return Error("the machine's state could not be transferred: " + state->value("error-desc", status));
    }
    std::this_thread::sleep_for(10ms);
  }
  return Error("transferring the machine's state took too long");
}

Status Machine::save(const std::string& file, const CancelToken& cancel) {
  HAP_TRY(stopped, qmp_->execute("stop", json::object(), cancel));
  HAP_TRY(unlimited, qmp_->execute("migrate-set-parameters", {{"max-bandwidth", 0}}, cancel));
  HAP_TRY(started, qmp_->execute("migrate", {{"uri", "file:" + file}}, cancel));
  return finish_migration(cancel);
}

Status Machine::load(const std::string& file, const CancelToken& cancel) {
  auto started = qmp_->execute("migrate-incoming", {{"uri", "file:" + file}}, cancel);
  if (!started) return explain(started.error());
  return finish_migration(cancel);
}

Status Machine::resume(const CancelToken& cancel) {
  HAP_TRY(resumed, qmp_->execute("cont", json::object(), cancel));
  return {};
}

Status Machine::quit(const CancelToken& cancel, std::chrono::milliseconds timeout) {
  // QEMU may close the line before the answer is read; what counts is that it ends.
  auto asked = qmp_->execute("quit", json::object(), cancel);
  if (!asked && asked.error().kind() == ErrorKind::interrupted) return asked.error();
  HAP_TRY(status, qemu_.wait_for(timeout));
  if (!status) {
    qemu_.terminate(std::chrono::milliseconds(0));
    return Error("QEMU did not end in time");
  }
  if (*status != 0) return explain(Error("QEMU failed while ending"));
  return {};
}

std::string Machine::console() const {
  return memory_log_text(console_.get());
}
std::string Machine::messages() const {
  return memory_log_text(messages_.get());
}

}  // namespace hap::lab
