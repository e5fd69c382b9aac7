#include "lab/lab.h"

#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <sstream>

#include "base/file.h"
#include "lab/hypervisor.h"
#include "lab/step.h"

namespace hap::lab {
namespace {

using namespace std::chrono_literals;

// What debugfs prints for `stat` of a fast symbolic link: Fast link dest: "target"
std::string link_target(const std::string& text) {
  const std::string key = "Fast link dest: \"";
  size_t at = text.find(key);
  if (at == std::string::npos) return "";
  at += key.size();
  return text.substr(at, text.find('"', at) - at);
}

bool is_plain_path(const std::string& path) {
  return !path.empty() && path[0] == '/' && path.find_first_of("\"\n\\") == std::string::npos;
}

Result<std::string> debugfs(const std::string& image, const std::string& request) {
  if (!find_program("debugfs")) {
    return Error("debugfs is missing", ErrorKind::unsupported).hint("install the package e2fsprogs");
  }
  return run_checked(command({"debugfs", "-R", request, image}), 60s);
}

std::string joined(const std::vector<std::string>& parts) {
  std::string path;
  for (const auto& part : parts) path += (path.empty() ? "" : "/") + part;
  return path;
}

std::vector<std::string> components(const std::string& path) {
  std::vector<std::string> parts;
  std::istringstream stream(path);
  for (std::string part; std::getline(stream, part, '/');) {
    if (!part.empty() && part != ".") parts.push_back(part);
  }
  return parts;
}

// Resolves the links on the way: /bin/redis-server -> /usr/bin/redis-check-rdb and the like.
Result<std::string> follow_links(const std::string& image, const std::string& path) {
  std::vector<std::string> done;
  std::vector<std::string> ahead = components(path);
  int budget = 40;
  while (!ahead.empty()) {
    const std::string part = ahead.front();
    ahead.erase(ahead.begin());
    if (part == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    const std::string next = "/" + joined(done) + (done.empty() ? "" : "/") + part;
    HAP_TRY(text, debugfs(image, "stat \"" + next + "\""));
    const std::string target = link_target(text);
    if (target.empty()) {
      done.push_back(part);
      continue;
    }
    if (--budget == 0 || !is_plain_path("/" + target)) return Error("too many links").at(path);
    if (target[0] == '/') done.clear();
    const auto parts = components(target);
    ahead.insert(ahead.begin(), parts.begin(), parts.end());
  }
  return "/" + joined(done);
}

}  // namespace

Result<nlohmann::json> Lab::kernel_facts() const {
  HAP_TRY(text, read_file(checkpoint.file(kKernelFacts)));
  auto facts = nlohmann::json::parse(text, nullptr, false);
  if (!facts.is_object()) {
    return Error("the facts about the lab's kernel are damaged", ErrorKind::corrupt)
        .hint("run `hap lab build --again`");
  }
  return facts;
}

Result<Lab> build_lab(const LabSpec& spec, bool again, Progress& progress, const CancelToken& cancel) {
  HAP_CHECK(check_spec(spec));
  // Before minutes of work: nothing of it is of use without the emulator.
  HAP_TRY(qemu, find_qemu());
  HAP_TRY(cache, LabCache::open());
  HAP_TRY(userland, build_userland(cache, spec, again, progress, cancel));
  HAP_TRY(kernel, build_kernel(cache, spec, again, progress, cancel));
  HAP_TRY(hypervisor, build_hypervisor(cache, spec, again, progress, cancel));
  HAP_TRY(checkpoint,
          ensure_checkpoint(cache, spec, {userland, kernel, hypervisor}, again, progress, cancel));
  progress.done();
  return Lab{spec, std::move(userland), std::move(kernel), std::move(checkpoint), std::move(hypervisor)};
}

Result<Lab> open_lab(const LabSpec& spec, Progress& progress, const CancelToken& cancel) {
  HAP_CHECK(check_spec(spec));
  HAP_TRY(cache, LabCache::open());
  HAP_TRY(userland, find_userland(cache));
  HAP_TRY(kernel, find_kernel(cache, spec));
  HAP_TRY(hypervisor, find_hypervisor(cache, spec));
  HAP_TRY(checkpoint,
          ensure_checkpoint(cache, spec, {userland, kernel, hypervisor}, false, progress, cancel));
  return Lab{spec, std::move(userland), std::move(kernel), std::move(checkpoint), std::move(hypervisor)};
}

Status check_built(const LabSpec& spec) {
  HAP_CHECK(check_spec(spec));
  HAP_TRY(cache, LabCache::open());
  HAP_TRY(userland, find_userland(cache));
  HAP_TRY(kernel, find_kernel(cache, spec));
  HAP_TRY(hypervisor, find_hypervisor(cache, spec));
  return {};
}

Result<Seed> random_seed() {
  Seed seed{};
  if (getrandom(seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size())) {
    return Error::from_errno("drawing random bytes", errno);
  }
  return seed;
}

Result<Machine> start_machine(const Lab& lab, const StartOptions& options, const CancelToken& cancel) {
  Seed seed{};
  if (options.seed) {
    seed = *options.seed;
  } else {
    HAP_TRY(drawn, random_seed());
    seed = drawn;
  }
  MachineParts parts{lab.kernel.file(kVmlinuz), lab.checkpoint.file(kInitramfs),
                     lab.userland.file(kRootImage), lab.kernel.file(kKernelDisk)};
  if (lab.hypervisor) parts.hypervisor = lab.hypervisor->file(kHypervisorImage);
  LaunchOptions how{options.arguments, options.keep_fds, options.console_on_terminal};
  how.arguments.insert(how.arguments.end(), {"-incoming", "defer"});
  HAP_TRY(machine, Machine::launch(lab.spec, parts, how, cancel));
  if (auto loaded = machine.load(lab.checkpoint.file(kState), cancel); !loaded) {
    Error error = loaded.error().context("restoring the lab machine");
    return std::move(error).hint(
        "run `hap lab build --again` if this persists: the checkpoint may be damaged");
  }
  HAP_CHECK(machine.resume(cancel));
  HAP_TRY(seeded, machine.call("reseed", nlohmann::json::object(), cancel, 180s,
                               {reinterpret_cast<const char*>(seed.data()), seed.size()}));
  return machine;
}

Status extract_guest_file(const CacheEntry& userland, const std::string& guest_path, const std::string& to,
                          const CancelToken& cancel) {
  HAP_CHECK(cancel.check());
  if (!is_plain_path(guest_path) || !is_plain_path("/" + to)) {
    return Error("not a path in the lab's image", ErrorKind::usage).at(guest_path);
  }
  std::string image = userland.file(kRootImage);
  HAP_TRY(path, follow_links(image, guest_path));
  HAP_TRY(out, debugfs(image, "dump \"" + path + "\" \"" + to + "\""));
  // debugfs reports a missing file on its output only, and leaves nothing or an empty file.
  struct stat st {};
  if (stat(to.c_str(), &st) != 0 || st.st_size == 0) {
    (void)remove_tree(to);
    return Error("the lab's image has no such file").at(guest_path);
  }
  return {};
}

}  // namespace hap::lab
