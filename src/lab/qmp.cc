#include "lab/qmp.h"

namespace hap::lab {

using namespace std::chrono_literals;
using nlohmann::json;

Result<json> Qmp::next_line(Deadline deadline, const CancelToken& cancel) {
  size_t end = 0;
  while ((end = pending_.find('\n')) == std::string::npos) {
    HAP_TRY(bytes, socket_.receive(deadline, cancel));
    pending_ += bytes;
  }
  json line = json::parse(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(end), nullptr, false);
  pending_.erase(0, end + 1);
  if (!line.is_object()) return Error("QEMU's control line is damaged", ErrorKind::corrupt);
  return line;
}

Status Qmp::greet(const CancelToken& cancel) {
  auto greeting = next_line(std::chrono::steady_clock::now() + 60s, cancel);
  if (!greeting) return greeting.error().context("waiting for QEMU's greeting");
  auto ready = execute("qmp_capabilities", json::object(), cancel);
  return ready ? Status() : Status(ready.error());
}

Result<json> Qmp::execute(const std::string& command, const json& arguments, const CancelToken& cancel,
                          std::chrono::milliseconds timeout) {
  Deadline deadline = std::chrono::steady_clock::now() + timeout;
  json request{{"execute", command}};
  if (!arguments.empty()) request["arguments"] = arguments;
  HAP_CHECK(socket_.send(request.dump() + "\n", deadline, cancel));
  for (;;) {
    HAP_TRY(line, next_line(deadline, cancel));
    if (auto value = line.find("return"); value != line.end()) return *value;
    if (auto error = line.find("error"); error != line.end()) {
      return Error("QEMU refused `" + command + "`: " + error->value("desc", "for no stated reason"));
    }
  }
}

}  // namespace hap::lab
