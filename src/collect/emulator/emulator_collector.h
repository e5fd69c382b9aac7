// The emulator as a collector: every executed block of the lab machine, exactly, through a QEMU plugin.
//
//   once per checkpoint   write_hooks(kallsyms, btf, hooks)            collect/emulator/hooks_file.h
//   start QEMU with       -plugin <qemu_plugin_argument(...)>
//   while it runs         StreamFollower(stream).poll()                collect/emulator/stream_follower.h
//   after QEMU has ended  import_stream(stream, options, writer)       collect/emulator/stream_import.h
//
// EmulatorCollector is the same behind the seam of collect/collector.h: its start() is called before the
// machine is started, its stop() after it has ended. docs/emulator.md says how it works and how exact it is.
#pragma once

#include <functional>
#include <string>

#include "collect/collector.h"
#include "collect/emulator/hooks_file.h"
#include "collect/emulator/stream_import.h"

namespace hap::collect {

// The value of QEMU's -plugin option. Errors: a path with a comma or an equals sign, which QEMU would
// misread.
Result<std::string> qemu_plugin_argument(const std::string& plugin_path, const std::string& hooks_path,
                                         const std::string& stream_path);

// QEMU loads the plugin by its path: beside the running program in a build tree, in the library folder when
// installed.
Result<std::string> find_plugin(const std::string& executable_path);

class EmulatorCollector : public Collector {
 public:
  struct Config {
    std::string plugin_path;
    std::string hooks_path;
    std::string stream_path;
    // Called by stop(), when the machine has told what there is to know about its kernel and windows.
    std::function<Result<ImportOptions>()> import_options;
  };
  explicit EmulatorCollector(Config config) : config_(std::move(config)) {}

  std::string_view name() const override { return "emulator"; }
  Probe probe() override;
  Status start(const WatchScope& scope, RecordingWriter& writer) override;
  Result<CollectStats> stop() override;

  // After a successful start().
  const std::string& qemu_argument() const { return argument_; }
  // After a successful stop().
  const StreamStats& stream_stats() const { return stats_; }

 private:
  Config config_;
  RecordingWriter* writer_ = nullptr;
  std::string argument_;
  StreamStats stats_;
};

}  // namespace hap::collect
