#include <filesystem>

#include "agent/operations.h"
#include "base/file.h"
#include "base/kernel_description.h"

namespace hap::agent {
namespace {

namespace fs = std::filesystem;

nlohmann::json modules_to_json(const std::vector<KernelModule>& modules) {
  auto rows = nlohmann::json::array();
  for (const auto& module : modules) {
    rows.push_back({{"name", module.name},
                    {"size", module.size},
                    {"address", module.address},
                    {"build_id", module.build_id},
                    {"sections", module.sections}});
  }
  return rows;
}

Result<Reply> kernel(const Call&) {
  const KernelDescription kernel = describe_kernel();
  return Reply{{{"release", kernel.release},
                {"version", kernel.version},
                {"build_id", kernel.build_id},
                {"cmdline", kernel.cmdline},
                {"cpu_flags", kernel.cpu_flags},
                {"vulnerabilities", kernel.vulnerabilities},
                {"clocksource", kernel.clocksource},
                {"clocksources", kernel.clocksources},
                {"modules", modules_to_json(kernel.modules)}},
               {}};
}

// Where user code lies before anything is recorded: mappings made later are seen being made.
Result<Reply> process_maps(const Call&) {
  std::string text;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator("/proc", ec)) {
    std::string pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    auto maps = read_file(entry.path().string() + "/maps");
    if (!maps || maps->empty()) continue;  // a kernel thread, or gone
    const auto comm = read_file(entry.path().string() + "/comm");
    text += "pid " + pid + " comm " + (comm ? comm->substr(0, comm->find('\n')) : "") + "\n" + *maps;
  }
  return Reply{nlohmann::json::object(), std::move(text)};
}

}  // namespace

void add_kernel_operation(Dispatcher& dispatcher) {
  dispatcher.add("kernel", kernel);
  dispatcher.add("process_maps", process_maps);
}

}  // namespace hap::agent
