#include "recording/partial_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace hap::recording {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view infix = ".partial-";
constexpr size_t random_digits = 16;

std::string folder_of(const std::string& path) {
  const auto parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

// NAME.partial-<decimal>-<16 hexadecimal digits>
bool is_partial_name(std::string_view name) {
  const size_t at = name.rfind(infix);
  if (at == std::string_view::npos || at == 0) return false;
  name.remove_prefix(at + infix.size());
  const size_t dash = name.find('-');
  if (dash == std::string_view::npos || dash == 0 || name.size() - dash - 1 != random_digits) return false;
  const auto decimal = name.substr(0, dash);
  const auto hex = name.substr(dash + 1);
  return decimal.find_first_not_of("0123456789") == std::string_view::npos &&
         hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void reap_abandoned_partials(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (!is_partial_name(entry.path().filename().string())) continue;
    const UniqueFd fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (fd.valid() && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
  }
}

}  // namespace

Result<PartialFile> PartialFile::create(const std::string& destination) {
  const std::string folder = folder_of(destination);
  reap_abandoned_partials(folder);
  for (;;) {
    uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random) {
      return Error::from_errno("no random bytes for a file name", errno);
    }
    std::string path = fmt::format("{}{}{}-{:016x}", destination, infix, ::getpid(), random);
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!fd.valid()) {
      if (errno == EEXIST) continue;
      return Error::from_errno("cannot write a recording in this folder", errno)
          .at(folder)
          .hint("name another file with -o");
    }
    if (::flock(fd.get(), LOCK_EX) != 0) {
      const int err = errno;
      ::unlink(path.c_str());
      return Error::from_errno("cannot lock", err).at(path);
    }
    // Somebody else's clean-up may have taken it for abandoned before it was locked.
    struct stat status {};
    if (::fstat(fd.get(), &status) == 0 && status.st_nlink > 0) {
      return PartialFile(destination, std::move(path), std::move(fd));
    }
  }
}

PartialFile::~PartialFile() {
  if (fd_.valid()) ::unlink(path_.c_str());
}

Status PartialFile::publish() {
  if (::fsync(fd_.get()) != 0) return Error::from_errno("cannot write", errno).at(path_);
  if (::rename(path_.c_str(), destination_.c_str()) != 0) {
    return Error::from_errno("cannot give the recording its name", errno).at(destination_);
  }
  fd_.reset();
  const UniqueFd folder(::open(folder_of(destination_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder; the recording is complete either way.
  if (folder.valid()) ::fsync(folder.get());
  return {};
}

}  // namespace hap::recording
