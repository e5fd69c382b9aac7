#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "agent/operations.h"
#include "base/file.h"
#include "base/unique_fd.h"

namespace hap::agent {
namespace {

Result<Reply> read_one(const Call& call) {
  HAP_TRY(content, read_file(call.request.at("path").get<std::string>(), lab::kMaxBlobBytes));
  return Reply{{{"size", content.size()}}, std::move(content)};
}

// Not atomic on purpose: the target may be a file of procfs, sysfs or cgroupfs, which takes one write.
Result<Reply> write_one(const Call& call) {
  auto path = call.request.at("path").get<std::string>();
  auto mode = call.request.value("mode", 0644U);
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!fd.valid()) return Error::from_errno("opening", errno).at(path);
  size_t written = 0;
  while (written < call.blob.size()) {
    ssize_t put = write(fd.get(), call.blob.data() + written, call.blob.size() - written);
    if (put < 0) return Error::from_errno("writing", errno).at(path);
    written += static_cast<size_t>(put);
  }
  fchmod(fd.get(), mode);
  return Reply{};
}

// Reads files so that they are in the page cache when the checkpoint is taken: a measurement is of the
// workload, not of how the disk happened to be read for the first time.
Result<Reply> warm(const Call& call) {
  uint64_t bytes = 0;
  uint64_t files = 0;
  auto missing = nlohmann::json::array();
  std::string buffer(size_t{1} << 20, '\0');
  for (const auto& path : call.request.at("paths")) {
    UniqueFd fd(open(path.get<std::string>().c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) {
      missing.push_back(path);
      continue;
    }
    for (ssize_t got; (got = read(fd.get(), buffer.data(), buffer.size())) > 0;)
      bytes += static_cast<uint64_t>(got);
    ++files;
  }
  return Reply{{{"bytes", bytes}, {"files", files}, {"missing", missing}}, {}};
}

}  // namespace

void add_file_operations(Dispatcher& dispatcher) {
  dispatcher.add("read_file", read_one);
  dispatcher.add("write_file", write_one);
  dispatcher.add("warm", warm);
}

}  // namespace hap::agent
