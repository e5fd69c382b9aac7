#include <chrono>

#include "agent/operations.h"
#include "base/subprocess.h"

namespace hap::agent {
namespace {

Result<Reply> exec(const Call& call) {
  SpawnOptions options;
  options.argv = call.request.at("argv").get<std::vector<std::string>>();
  options.env = call.request.value("env", std::map<std::string, std::string>());
  options.working_dir = call.request.value("cwd", std::string());
  std::chrono::milliseconds timeout(call.request.value("timeout_ms", 600000));
  HAP_TRY(done, run(options, timeout, call.blob));
  return Reply{{{"status", done.exit_code()}, {"out", done.out}, {"err", done.err}}, {}};
}

}  // namespace

void add_exec_operation(Dispatcher& dispatcher) {
  dispatcher.add("exec", exec);
}

}  // namespace hap::agent
