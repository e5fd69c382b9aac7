// A lab machine with the very program `hap` in it (or another of this build), as it was built here: with the
// libraries and the loader it was linked against, since the machine's userland is another Debian's.
#pragma once

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/subprocess.h"
#include "base/temp_dir.h"
#include "hap/recording.h"
#include "lab/lab.h"

namespace hap::testing {

#define ASSERT_GOOD(result) ASSERT_TRUE(result) << (result).error().to_string()

struct GuestRun {
  int status = -1;
  std::string out;
  std::string err;
};

class LiveMachine {
 public:
  // `plugin`: QEMU's -plugin argument; empty: none. Errors of kind `unsupported`: the lab is not built.
  static Result<std::unique_ptr<LiveMachine>> start(const lab::LabSpec& spec = {},
                                                    const std::string& plugin = {}) {
    auto made = std::unique_ptr<LiveMachine>(new LiveMachine);
    NoProgress progress;
    HAP_TRY(lab, lab::open_lab(spec, progress, made->cancel_));
    made->lab_ = std::make_unique<lab::Lab>(std::move(lab));
    lab::StartOptions options;
    if (!plugin.empty()) options.arguments = {"-plugin", plugin};
    HAP_TRY(machine, lab::start_machine(*made->lab_, options, made->cancel_));
    made->machine_ = std::make_unique<lab::Machine>(std::move(machine));
    return made;
  }

  // Puts hap in front of PATH.
  Status install_hap() { return install(HAP_BINARY_DIR "/src/cli/hap"); }

  // Puts a program of this build at /run/hap-live/bin (a script that calls the loader), in front of PATH.
  Status install(const std::string& program) {
    HAP_TRY(folder, TempDir::create());
    const std::string name = program.substr(program.rfind('/') + 1);
    HAP_TRY(linked, tool({"ldd", program}));
    HAP_TRY(stripped, tool({"strip", "-o", folder.file(name), program}));
    (void)stripped;
    std::vector<std::string> tar = {"tar", "-chf", folder.file("tar"), "--transform=s,.*/,,"};
    std::string loader;
    std::istringstream lines(linked);
    for (std::string line; std::getline(lines, line);) {
      const size_t slash = line.find('/');
      if (slash == std::string::npos) continue;
      const std::string path = line.substr(slash, line.find(' ', slash) - slash);
      if (path.find("ld-linux") != std::string::npos) loader = path.substr(path.rfind('/') + 1);
      tar.push_back(path);
    }
    tar.push_back(folder.file(name));
    HAP_TRY(packed, tool(tar));
    (void)packed;
    HAP_TRY(archive, read_file(folder.file("tar")));
    auto unpacked = shell("mkdir -p /run/hap-live/bin /run/cache");
    if (!unpacked) return unpacked.error();
    HAP_CHECK(put("/run/hap-live/tar", archive));
    HAP_CHECK(put("/run/hap-live/bin/" + name,
                  "#!/bin/sh\nexec /run/hap-live/" + loader + " --library-path /run/hap-live /run/hap-live/" +
                      name + " \"$@\"\n",
                  0755));
    unpacked = shell("tar -C /run/hap-live -xf /run/hap-live/tar && rm /run/hap-live/tar");
    if (!unpacked) return unpacked.error();
    if (unpacked->status != 0) return Error("cannot unpack " + name + " in the machine: " + unpacked->err);
    return {};
  }

  // A script, with /run on PATH. Programs left in the background must be started by setsid.
  Result<GuestRun> shell(const std::string& script, std::chrono::seconds timeout = std::chrono::minutes(10)) {
    const auto ms = std::chrono::milliseconds(timeout).count();
    HAP_TRY(done, machine_->call("exec",
                                 {{"argv", {"/bin/bash", "-c", script}},
                                  {"env",
                                   {{"PATH", "/run/hap-live/bin:/run:/usr/sbin:/usr/bin:/sbin:/bin"},
                                    {"HAP_CACHE_DIR", "/run/cache"},
                                    {"HOME", "/root"}}},
                                  {"timeout_ms", ms}},
                                 cancel_, timeout + std::chrono::seconds(30)));
    return GuestRun{done.body.value("status", -1), done.body.value("out", ""), done.body.value("err", "")};
  }

  Status put(const std::string& path, const std::string& content, int mode = 0644) {
    HAP_TRY(written, machine_->call("write_file", {{"path", path}, {"mode", mode}}, cancel_,
                                    std::chrono::minutes(2), content));
    (void)written;
    return {};
  }
  Result<std::string> get(const std::string& path) {
    HAP_TRY(read, machine_->call("read_file", {{"path", path}}, cancel_, std::chrono::minutes(2)));
    return read.blob;
  }
  // Copies a file of the machine to this one.
  Status fetch(const std::string& path, const std::string& to) {
    HAP_TRY(content, get(path));
    return write_file_atomic(to, content);
  }
  Result<nlohmann::json> kernel() {
    HAP_TRY(facts, machine_->call("kernel", nlohmann::json::object(), cancel_, std::chrono::minutes(2)));
    return facts.body;
  }

  Status quit() { return machine_->quit(cancel_); }
  const lab::Lab& lab() const { return *lab_; }

 private:
  LiveMachine() = default;
  static Result<std::string> tool(const std::vector<std::string>& argv) {
    SpawnOptions options;
    options.argv = argv;
    return run_checked(options);
  }
  CancelToken cancel_;
  std::unique_ptr<lab::Lab> lab_;
  std::unique_ptr<lab::Machine> machine_;
};

}  // namespace hap::testing
