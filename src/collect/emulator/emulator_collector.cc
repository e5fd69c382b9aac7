#include "collect/emulator/emulator_collector.h"

#include <unistd.h>

#include <filesystem>

namespace hap::collect {

Result<std::string> qemu_plugin_argument(const std::string& plugin_path, const std::string& hooks_path,
                                         const std::string& stream_path) {
  for (const std::string* path : {&plugin_path, &hooks_path, &stream_path}) {
    if (path->find_first_of(",=") != std::string::npos) {
      return Error("QEMU cannot be given a path with a comma or an equals sign", ErrorKind::usage)
          .at(*path)
          .hint("choose another folder for the cache or the output");
    }
  }
  return plugin_path + ",hooks=" + hooks_path + ",out=" + stream_path;
}

Result<std::string> find_plugin(const std::string& executable_path) {
  const auto folder = std::filesystem::path(executable_path).parent_path();
  // build/src/cli/hap and build/emulator-plugin/; PREFIX/bin/hap and PREFIX/lib*/hapmeter/.
  static constexpr const char* places[] = {
      "../../emulator-plugin/libhap-emulator.so",
      "../lib/hapmeter/libhap-emulator.so",
      "../lib/x86_64-linux-gnu/hapmeter/libhap-emulator.so",
      "../lib64/hapmeter/libhap-emulator.so",
  };
  for (const char* place : places) {
    const auto candidate = (folder / place).lexically_normal().string();
    if (::access(candidate.c_str(), R_OK) == 0) return candidate;
  }
  return Error("the emulator's plugin libhap-emulator.so is not installed", ErrorKind::unsupported)
      .hint("build the whole project, or reinstall hapmeter");
}

Probe EmulatorCollector::probe() {
  if (::access(config_.plugin_path.c_str(), R_OK) != 0) {
    return {false, "the emulator's plugin is not at " + config_.plugin_path, "build the whole project"};
  }
  if (::access(config_.hooks_path.c_str(), R_OK) != 0) {
    return {false, "the lab's kernel has not been prepared for the plugin", "run `hap lab build`"};
  }
  return {true, {}, {}};
}

Status EmulatorCollector::start(const WatchScope&, RecordingWriter& writer) {
  // Everything is seen and recorded; the scope is the analysis' to apply.
  if (const Probe found = probe(); !found.usable) {
    return Error(found.why_not, ErrorKind::unsupported).hint(found.hint);
  }
  HAP_TRY(argument, qemu_plugin_argument(config_.plugin_path, config_.hooks_path, config_.stream_path));
  argument_ = std::move(argument);
  writer_ = &writer;
  return {};
}

Result<CollectStats> EmulatorCollector::stop() {
  if (writer_ == nullptr) return Error("the emulator collector was not started");
  HAP_TRY(options, config_.import_options());
  HAP_TRY(stats, import_stream(config_.stream_path, options, *writer_));
  stats_ = std::move(stats);
  CollectStats result;
  result.events_lost = stats_.counter("blocks_dropped");
  result.losses = stats_.losses;
  return result;
}

}  // namespace hap::collect
