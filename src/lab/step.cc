#include "lab/step.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <cerrno>
#include <sstream>

#include "base/file.h"
#include "base/unique_fd.h"

namespace hap::lab {
namespace {

using namespace std::chrono_literals;

constexpr size_t kTailLines = 8;

std::string last_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::string tail;
  for (size_t i = lines.size() > kTailLines ? lines.size() - kTailLines : 0; i < lines.size(); ++i) {
    tail += "\n  " + lines[i];
  }
  return tail;
}

}  // namespace

SpawnOptions command(std::vector<std::string> argv) {
  SpawnOptions options;
  options.argv = std::move(argv);
  return options;
}

Status run_step(SpawnOptions options, const std::string& log, const CancelToken& cancel) {
  HAP_CHECK(cancel.check());
  UniqueFd output(open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!output.valid()) return Error::from_errno("creating", errno).at(log);
  options.stdout_fd = output.get();
  options.stderr_fd = output.get();
  HAP_TRY(child, Subprocess::spawn(options));
  for (;;) {
    HAP_TRY(status, child.wait_for(200ms));
    if (status && *status == 0) return {};
    if (status) break;
    if (auto go_on = cancel.check(); !go_on) {
      // Long enough for a bootstrapper to take its temporary files away.
      child.terminate(10s);
      return go_on.error();
    }
  }
  auto text = read_file(log);
  std::string tail = text ? last_lines(*text) : "";
  if (tail.find("No space left on device") != std::string::npos) {
    return Error("the disk is full").at(log).hint("free some space, or point XDG_CACHE_HOME at another disk");
  }
  return Error("`" + options.argv[0] + "` failed:" + tail);
}

}  // namespace hap::lab
