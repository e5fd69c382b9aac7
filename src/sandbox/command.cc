#include "sandbox/command.h"

#include <fcntl.h>

#include <cerrno>

#include "base/file.h"
#include "base/unique_fd.h"
#include "sandbox/cgroup.h"
#include "sandbox/sandbox.h"

namespace hap::sandbox {
namespace {

std::string trimmed_tail(const std::string& text, size_t limit) {
  const size_t end = text.find_last_not_of(" \n\t\r");
  if (end == std::string::npos) return "";
  const size_t start = end + 1 > limit ? end + 1 - limit : 0;
  return (start > 0 ? "..." : "") + text.substr(start, end + 1 - start);
}

Error failed(const std::vector<std::string>& argv, int code, const std::string& words) {
  return Error(
      "`" + argv[0] + "` ended with status " + std::to_string(code) + (words.empty() ? "" : ": " + words),
      ErrorKind::sandbox);
}

Result<UniqueFd> among_daemons() {
  HAP_TRY(group, Cgroup::create(daemon_cgroup));
  return group.procs_fd();
}

}  // namespace

CommandStatus run_command(const std::vector<std::string>& argv, const std::string& input,
                          std::chrono::milliseconds timeout) {
  auto procs = among_daemons();
  if (!procs) return Status(procs.error());
  SpawnOptions options;
  options.argv = argv;
  options.cgroup_procs_fd = procs->get();
  auto output = run(std::move(options), timeout, input);
  if (!output) return Status(output.error());
  if (output->ok()) return Status();
  return Status(
      failed(argv, output->exit_code(), trimmed_tail(output->err.empty() ? output->out : output->err, 2000)));
}

CommandStatus run_detaching(const std::vector<std::string>& argv, const std::string& log,
                            std::chrono::milliseconds timeout) {
  auto procs = among_daemons();
  if (!procs) return Status(procs.error());
  UniqueFd file(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file.valid()) return Status(Error::from_errno("cannot create", errno).at(log));
  SpawnOptions options;
  options.argv = argv;
  options.cgroup_procs_fd = procs->get();
  options.stdout_fd = file.get();
  options.stderr_fd = file.get();
  // What the program leaves behind must outlive it: a group of its own would be killed with the Subprocess.
  options.own_process_group = false;
  auto child = Subprocess::spawn(options);
  if (!child) return Status(child.error());
  auto status = child->wait_for(timeout);
  if (!status) return Status(status.error());
  if (!*status) return Status(Error("`" + argv[0] + "` did not end in time", ErrorKind::sandbox));
  RunOutput ended;
  ended.status = **status;
  if (ended.ok()) return Status();
  return Status(failed(argv, ended.exit_code(), tail_of_file(log)));
}

std::string first_line_of(const std::vector<std::string>& argv) {
  SpawnOptions options;
  options.argv = argv;
  const auto output = run(std::move(options), std::chrono::seconds(30));
  if (!output) return "";
  const std::string& text = output->out.empty() ? output->err : output->out;
  return text.substr(0, text.find('\n'));
}

std::string tail_of_file(const std::string& path, size_t limit) {
  const auto text = read_file(path);
  return text ? trimmed_tail(*text, limit) : "";
}

std::string sha256_of_file(const std::string& path) {
  const std::string line = first_line_of({"sha256sum", path});
  return line.size() > 64 && line[64] == ' ' ? line.substr(0, 64) : "";
}

}  // namespace hap::sandbox
