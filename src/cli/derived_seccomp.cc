#include "cli/derived_seccomp.h"

#include <filesystem>

#include "base/file.h"
#include "hap/recording.h"
#include "lab/cache.h"
#include "measure/needed_syscalls.h"
#include "report/seccomp_advice.h"

namespace hap::cli {
namespace {

using nlohmann::json;

constexpr int format_version = 2;  // raise when the same recording gives another profile
constexpr const char* profile_file = "profile.json";
constexpr const char* recording_file = "docker-default.hap";
constexpr uint64_t space_needed = uint64_t{64} << 20;

Result<json> derive(CellRequest request, const std::string& folder, Progress& progress,
                    const CancelToken& cancel) {
  request.output = folder + "/" + recording_file;
  HAP_TRY(outcome, measure_cell(request, progress, cancel));
  HAP_TRY(recording, Recording::open(request.output));
  HAP_TRY(needed, measure::needed_syscalls(recording.header()));
  HAP_TRY(advice, report::advise_seccomp(needed, {}));
  HAP_CHECK(write_file_atomic(folder + "/" + profile_file, report::render_profile(advice.names(), false)));
  return json{{"workload", request.workload_name},
              {"profile", request.profile},
              {"requests", outcome.requests},
              {"syscalls", advice.names().size()}};
}

}  // namespace

Result<std::string> derived_seccomp_profile(const CellRequest& like, Progress& progress,
                                            const CancelToken& cancel) {
  CellRequest request = like;
  request.sandbox = "docker-default";
  request.label.clear();
  // Whichever runtime the tightened container uses, the profile has room for all of them.
  for (const char* option : {"runtime", "seccomp_profile", "seccomp_origin"}) request.options.erase(option);
  HAP_TRY(lab, lab::open_lab(request.machine, progress, cancel));
  const json inputs = {{"format", format_version},
                       {"tool", HAP_VERSION},
                       {"checkpoint", std::filesystem::path(lab.checkpoint.path).filename().string()},
                       {"workload", request.workload},
                       {"profile", request.profile},
                       {"options", request.options}};
  HAP_TRY(cache, lab::LabCache::open());
  auto entry = cache.find_or_build(
      lab::LabCache::entry_name("seccomp", inputs), inputs, space_needed,
      [&](const std::string& folder) { return derive(request, folder, progress, cancel); }, progress, cancel);
  if (!entry) return Error(entry.error()).context("deriving the seccomp profile from docker-default");
  return read_file(entry->file(profile_file));
}

}  // namespace hap::cli
