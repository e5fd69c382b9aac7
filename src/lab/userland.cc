#include "lab/userland.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "base/paths.h"
#include "lab/apt_sources.h"
#include "lab/ext4.h"
#include "lab/package_source.h"
#include "lab/step.h"

namespace hap::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Raised when what this file makes of the same packages changes.
constexpr int kImageVersion = 1;
constexpr uint64_t kSpaceNeeded = uint64_t{3500} << 20;

constexpr const char* kLeftOut[] = {"/usr/share/man/*",     "/usr/share/doc/*",
                                    "/usr/share/info/*",    "/usr/share/locale/*",
                                    "/usr/share/lintian/*", "/usr/share/bash-completion/*",
                                    "/usr/share/icons/*"};

Result<nlohmann::json> userland_inputs() {
  HAP_TRY(data, data_dir());
  HAP_TRY(text, read_file(data + "/lab/packages.txt"));
  return nlohmann::json{
      {"suite", kUserlandSuite}, {"packages", parse_package_list(text)}, {"version", kImageVersion}};
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

// As root, in a process namespace of its own: nothing of the bootstrap survives even kill -9. Where the
// machine does not allow that, without.
std::vector<std::string> containment() {
  if (geteuid() != 0) return {};  // mmdebstrap's user namespaces contain it
  std::vector<std::string> prefix = {"unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"};
  auto argv = prefix;
  argv.push_back("true");
  auto tried = run(command(argv), 10s);
  return tried && tried->ok() ? prefix : std::vector<std::string>{};
}

std::vector<std::string> bootstrap_command(const std::vector<std::string>& packages,
                                           const std::vector<AptSource>& sources, const std::string& tar) {
  auto argv = containment();
  argv.insert(argv.end(), {"mmdebstrap", "--variant=minbase", "--format=tar", "--architectures=amd64",
                           "--aptopt=APT::Install-Recommends \"false\"", "--include=" + joined(packages)});
  // Paths that packages bring and nothing in the lab reads.
  for (const char* path : kLeftOut) argv.push_back(std::string("--dpkgopt=path-exclude=") + path);
  if (auto dump = run_checked(command({"apt-config", "dump"}), 30s)) {
    for (const auto& option : acquire_options(*dump)) argv.push_back("--aptopt=" + option);
  }
  // The archive's addresses and the machine's settings have no place in the image.
  argv.push_back(
      "--customize-hook=rm -rf \"$1\"/etc/apt/sources.list* \"$1\"/etc/apt/apt.conf.d/99mmdebstrap "
      "\"$1\"/var/lib/apt/lists \"$1\"/var/cache/debconf");
  argv.push_back("--customize-hook=mkdir -p \"$1\"/usr/lib/modules");
  argv.push_back("--customize-hook=printf '127.0.0.1 localhost lab\\n' > \"$1\"/etc/hosts");
  argv.insert(argv.end(), {kUserlandSuite, tar});
  for (const auto& source : sources) argv.push_back(source.line());
  return argv;
}

// Names and versions out of dpkg's status file.
nlohmann::json package_versions(const std::string& status) {
  auto versions = nlohmann::json::object();
  std::istringstream lines(status);
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("Package: ", 0) == 0) name = line.substr(9);
    if (line.rfind("Version: ", 0) == 0) versions[name] = line.substr(9);
  }
  return versions;
}

Result<nlohmann::json> build(const std::string& folder, const std::vector<std::string>& packages,
                             const LabSpec& spec, Progress& progress, const CancelToken& cancel) {
  HAP_TRY(sources, find_sources(kUserlandSuite, spec.mirror));
  if (!find_program("mmdebstrap")) {
    return Error("mmdebstrap is missing", ErrorKind::unsupported).hint("install the package mmdebstrap");
  }
  std::string work = folder + "/../work";
  HAP_CHECK(make_dirs(work));
  progress.step("downloading and unpacking " + std::to_string(packages.size()) +
                " Debian packages and what they need");
  SpawnOptions bootstrap = command(bootstrap_command(packages, sources, work + "/root.tar"));
  // A plain user's namespace cannot enter the user's own folders.
  if (geteuid() == 0) bootstrap.env["TMPDIR"] = fs::canonical(work).string();
  HAP_CHECK(run_step(bootstrap, work + "/bootstrap.log", cancel));
  progress.step("writing the root image");
  HAP_CHECK(make_ext4_from_tar(work + "/root.tar", work + "/root", folder + "/" + kRootImage, cancel));
  HAP_TRY(status, read_file(work + "/root/var/lib/dpkg/status"));
  HAP_CHECK(remove_tree(work));
  return nlohmann::json{{"suite", kUserlandSuite}, {"packages", package_versions(status)}};
}

}  // namespace

std::vector<std::string> parse_package_list(const std::string& text) {
  std::vector<std::string> packages;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    for (std::string word; words >> word;) packages.push_back(word);
  }
  std::sort(packages.begin(), packages.end());
  packages.erase(std::unique(packages.begin(), packages.end()), packages.end());
  return packages;
}

Result<CacheEntry> build_userland(const LabCache& cache, const LabSpec& spec, bool again, Progress& progress,
                                  const CancelToken& cancel) {
  HAP_TRY(inputs, userland_inputs());
  std::string name = LabCache::entry_name(std::string("userland-") + kUserlandSuite, inputs);
  auto packages = inputs["packages"].get<std::vector<std::string>>();
  return cache.find_or_build(
      name, inputs, kSpaceNeeded,
      [&](const std::string& folder) { return build(folder, packages, spec, progress, cancel); }, progress,
      cancel, again);
}

Result<CacheEntry> find_userland(const LabCache& cache) {
  HAP_TRY(inputs, userland_inputs());
  HAP_TRY(entry, cache.find(LabCache::entry_name(std::string("userland-") + kUserlandSuite, inputs)));
  if (!entry) return Error("the lab is not built", ErrorKind::unsupported).hint("run `hap lab build`");
  return std::move(*entry);
}

}  // namespace hap::lab
