#include "sandbox/guest_agent.h"

#include "sandbox/network.h"
#include "sandbox/service_command.h"

namespace hap::sandbox {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto call_limit = 180s;

}  // namespace

Status GuestAgent::wait_until_ready(std::chrono::milliseconds limit,
                                    const std::function<std::string()>& last_words) {
  const auto ready = link_.wait_event("ready", cancel_, limit);
  if (ready) return {};
  return Error("the virtual machine did not boot: " + ready.error().to_string() + "; " + last_words(),
               ErrorKind::sandbox);
}

Status GuestAgent::start_service(const Service& service, const std::string& device) {
  json files = json::array();
  for (const auto& file : service.files) {
    files.push_back({{"path", file.path}, {"content", file.content}, {"mode", file.mode}});
  }
  json request{{"argv", service_command(service, sandbox_address, true)},
               {"env", service.env},
               {"working_dir", service.working_dir},
               {"files", files}};
  if (!device.empty()) {
    request["device"] = device;
    request["address"] = std::string(sandbox_address) + "/" + std::to_string(prefix_length);
    request["gateway"] = bridge_address;
  }
  auto started = link_.call("start_service", std::move(request), cancel_, call_limit);
  if (!started) return started.error().context("starting the service in the virtual machine");
  return {};
}

Result<std::vector<GuestMapping>> GuestAgent::executable_mappings() {
  HAP_TRY(reply, link_.call("executable_mappings", json::object(), cancel_, call_limit));
  std::vector<GuestMapping> mappings;
  try {
    for (const auto& row : reply.body.at("mappings")) {
      mappings.push_back({row.at("pid").get<int32_t>(), row.at("comm").get<std::string>(),
                          row.at("start").get<uint64_t>(), row.at("end").get<uint64_t>(),
                          row.at("offset").get<uint64_t>(), row.at("inode").get<uint64_t>(),
                          row.at("path").get<std::string>()});
    }
  } catch (const json::exception& e) {
    return Error(std::string("the guest's answer is damaged: ") + e.what(), ErrorKind::sandbox);
  }
  return mappings;
}

void GuestAgent::shut_down() {
  (void)link_.call("stop_service", json::object(), cancel_, call_limit);
  (void)link_.call("power_off", json::object(), cancel_, 5s);
}

}  // namespace hap::sandbox
