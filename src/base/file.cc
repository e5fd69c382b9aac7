#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/unique_fd.h"

namespace hap {
namespace fs = std::filesystem;

Result<std::string> read_file(const std::string& path, size_t limit) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Error::from_errno("cannot open", errno).at(path);
  std::string content;
  constexpr size_t step = 1 << 16;
  for (;;) {
    const size_t old_size = content.size();
    if (old_size > limit) return Error("the file is larger than expected").at(path);
    content.resize(old_size + step);
    const ssize_t count = ::read(fd.get(), content.data() + old_size, step);
    content.resize(old_size + (count > 0 ? static_cast<size_t>(count) : 0));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::from_errno("cannot read", errno).at(path);
    if (count == 0) return content;
  }
}

namespace {

Status write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::from_errno("cannot write", errno).at(path);
    content.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

}  // namespace

Status write_file_atomic(const std::string& path, std::string_view content, unsigned mode) {
  std::string temporary = path + ".XXXXXX";
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return Error::from_errno("cannot create", errno).at(temporary);
  auto written = write_all(fd.get(), content, temporary);
  if (written && ::fchmod(fd.get(), mode) != 0)
    written = Error::from_errno("cannot chmod", errno).at(temporary);
  if (written && ::fsync(fd.get()) != 0) written = Error::from_errno("cannot sync", errno).at(temporary);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
    written = Error::from_errno("cannot rename", errno).at(path);
  }
  if (!written) ::unlink(temporary.c_str());
  return written;
}

Status make_dirs(const std::string& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return Error::from_errno("cannot create the folder", code.value()).at(path);
  return {};
}

Result<uint64_t> free_disk_bytes(const std::string& path) {
  std::error_code code;
  fs::path existing = fs::absolute(path, code);
  while (!fs::exists(existing, code) && existing.has_relative_path()) existing = existing.parent_path();
  struct statvfs status {};
  if (::statvfs(existing.c_str(), &status) != 0) {
    return Error::from_errno("cannot ask for free space", errno).at(existing);
  }
  return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
}

Status remove_tree(const std::string& path) {
  std::error_code code;
  fs::remove_all(path, code);
  if (code) return Error::from_errno("cannot remove", code.value()).at(path);
  return {};
}

}  // namespace hap
