#include "lab/package_source.h"

#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "lab/step.h"

namespace hap::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

uint64_t number(const std::string& text) {
  uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') break;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

std::vector<std::string> dependency_names(const std::string& field) {
  std::vector<std::string> names;
  std::istringstream entries(field);
  for (std::string entry; std::getline(entries, entry, ',');) {
    std::istringstream words(entry);
    std::string name;
    if (words >> name) names.push_back(name.substr(0, name.find(':')));
  }
  return names;
}

}  // namespace

Result<PackageRecord> parse_package_record(const std::string& text) {
  PackageRecord record;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    size_t colon = line.find(": ");
    if (colon == std::string::npos || line[0] == ' ') continue;
    std::string name = line.substr(0, colon);
    std::string value = line.substr(colon + 2);
    if (name == "Package") record.name = value;
    if (name == "Version") record.version = value;
    if (name == "Size") record.download_bytes = number(value);
    if (name == "Installed-Size") record.installed_bytes = number(value) * 1024;
    if (name == "Depends") record.depends = dependency_names(value);
  }
  if (record.name.empty() || record.version.empty()) return Error("apt gave no record of the package");
  return record;
}

std::vector<std::string> acquire_options(const std::string& apt_config_dump) {
  // Lines `Name::Of::Option "value";`
  const char* wanted[] = {"Acquire::http::", "Acquire::https::", "Acquire::ftp::",
                          "Acquire::Check-", "Acquire::Retries", "Acquire::ForceIPv"};
  std::vector<std::string> options;
  std::istringstream lines(apt_config_dump);
  for (std::string line; std::getline(lines, line);) {
    for (const char* prefix : wanted) {
      size_t quote = line.find(" \"");
      if (line.rfind(prefix, 0) != 0 || quote == std::string::npos || line.size() < quote + 4) continue;
      size_t end = line.rfind(';');
      options.push_back(line.substr(0, end == std::string::npos ? line.size() : end));
    }
  }
  return options;
}

Result<PackageSource> PackageSource::open(const std::string& folder, const std::vector<AptSource>& sources,
                                          const CancelToken& cancel) {
  for (const char* part : {"/lists/partial", "/cache/archives/partial", "/etc"})
    HAP_CHECK(make_dirs(folder + part));
  std::string lines;
  for (const auto& source : sources) lines += source.line() + "\n";
  HAP_CHECK(write_file_atomic(folder + "/etc/sources.list", lines));
  HAP_CHECK(write_file_atomic(folder + "/status", ""));
  std::vector<std::string> settings = {
      "Dir::State=" + folder,
      "Dir::State::Lists=" + folder + "/lists",
      "Dir::State::status=" + folder + "/status",
      "Dir::Cache=" + folder + "/cache",
      "Dir::Etc::sourcelist=" + folder + "/etc/sources.list",
      "Dir::Etc::sourceparts=/dev/null",
      "Dir::Etc::preferences=/dev/null",
      "Dir::Etc::preferencesparts=/dev/null",
      "APT::Architecture=amd64",
      "APT::Architectures::=amd64",
      "Acquire::Languages=none",
      // The state belongs to this user, whoever that is; apt's own user could not write there.
      "APT::Sandbox::User=",
      "APT::Update::Post-Invoke-Success=",
      "DPkg::Lock::Timeout=60",
  };
  std::vector<std::string> options;
  for (const auto& setting : settings) options.insert(options.end(), {"-o", setting});
  PackageSource source(folder, std::move(options));
  HAP_CHECK(
      run_step(command(source.apt("apt-get", {"update", "--error-on=any"})), folder + "/update.log", cancel));
  return source;
}

std::vector<std::string> PackageSource::apt(const std::string& program,
                                            std::vector<std::string> arguments) const {
  std::vector<std::string> argv{program};
  argv.insert(argv.end(), options_.begin(), options_.end());
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

Result<PackageRecord> PackageSource::show(const std::string& package, const CancelToken& cancel) const {
  HAP_CHECK(cancel.check());
  HAP_TRY(out, run(command(apt("apt-cache", {"show", "--no-all-versions", package})), 60s));
  if (!out.ok()) {
    return Error("the Debian suite has no package " + package, ErrorKind::usage)
        .hint("see `hap lab build --help` for the kernels that can be named");
  }
  return parse_package_record(out.out);
}

Result<std::string> PackageSource::download(const PackageRecord& package, const std::string& folder,
                                            const CancelToken& cancel) const {
  HAP_CHECK(make_dirs(folder));
  SpawnOptions options = command(apt("apt-get", {"download", package.name + "=" + package.version}));
  options.working_dir = folder;
  HAP_CHECK(run_step(options, folder_ + "/download.log", cancel));
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec)) {
    if (entry.path().filename().string().rfind(package.name + "_", 0) == 0) return entry.path().string();
  }
  return Error("apt downloaded nothing for " + package.name);
}

}  // namespace hap::lab
