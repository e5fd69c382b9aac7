#include "base/temp_dir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/paths.h"

namespace hap {
namespace {

constexpr const char* lock_name = "/.owner";

// The lock when nobody holds it, or an invalid descriptor.
UniqueFd try_lock(const std::string& dir) {
  UniqueFd fd(::open((dir + lock_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd.valid() && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) fd.reset();
  return fd;
}

}  // namespace

Result<TempDir> TempDir::create(const std::string& parent) {
  HAP_CHECK(make_dirs(parent));
  std::string path = parent + "/hap-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return Error::from_errno("cannot create", errno).at(path);
  UniqueFd lock = try_lock(path);
  if (!lock.valid()) return Error::from_errno("cannot lock", errno).at(path);
  return TempDir(std::move(path), std::move(lock));
}

Result<TempDir> TempDir::create() {
  HAP_TRY(cache, cache_dir());
  return create(cache + "/tmp");
}

TempDir::TempDir(TempDir&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

TempDir& TempDir::operator=(TempDir&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

TempDir::~TempDir() {
  // Nothing useful can be done about a failure here; the next start's reaper tries again.
  if (!path_.empty()) (void)remove_tree(path_);
}

int reap_abandoned(const std::string& parent) {
  int removed = 0;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(parent, code)) {
    const std::string name = entry.path().filename();
    if (name.rfind("hap-", 0) != 0 || !entry.is_directory(code)) continue;
    const UniqueFd lock = try_lock(entry.path());
    if (lock.valid() && remove_tree(entry.path())) ++removed;
  }
  return removed;
}

}  // namespace hap
