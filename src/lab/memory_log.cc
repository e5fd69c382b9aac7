#include "lab/memory_log.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace hap::lab {

Result<UniqueFd> make_memory_log(const char* name) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd.valid()) return Error::from_errno("cannot create a log in memory", errno);
  return fd;
}

std::string memory_log_text(int fd) {
  struct stat st {};
  if (fstat(fd, &st) != 0) return "";
  std::string text(static_cast<size_t>(st.st_size), '\0');
  const ssize_t got = pread(fd, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

}  // namespace hap::lab
