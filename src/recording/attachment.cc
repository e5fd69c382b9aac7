#include "recording/attachment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "recording/partial_file.h"
#include "recording/raw_digest.h"
#include "recording/seal.h"

namespace hap::recording {
namespace {

constexpr std::string_view magic = "HAPATT01";
constexpr size_t head_size = magic.size() + sizeof(uint64_t);

std::array<char, digest_size> digest_of(std::string_view first_page, std::string_view bytes) {
  Sha256 hash;
  hash.update(first_page).update(bytes);
  return raw_digest(hash);
}

std::string encode(std::string_view first_page, std::string_view content) {
  std::string bytes(magic);
  for (size_t i = 0; i < sizeof(uint64_t); ++i) {
    bytes += static_cast<char>(static_cast<uint64_t>(content.size()) >> 8 * i & 0xff);
  }
  bytes += content;
  const auto digest = digest_of(first_page, bytes);
  return bytes.append(digest.data(), digest.size());
}

// Exactly `size` bytes from `offset` on.
Result<std::string> read_at(int fd, uint64_t offset, size_t size, const std::string& path) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t count = ::pread(fd, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::from_errno("cannot read", errno).at(path);
    if (count == 0) return Error("the recording is cut short", ErrorKind::corrupt).at(path);
    done += static_cast<size_t>(count);
  }
  return bytes;
}

Status write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::from_errno("cannot write", errno).at(path);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

// A recording, open: what lies where in it.
struct OpenFile {
  UniqueFd fd;
  uint64_t size = 0;
  uint64_t database = 0;  // of which this many bytes are the database
  std::string first_page;
};

Result<OpenFile> open_file(const std::string& path) {
  OpenFile file;
  file.fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file.fd.valid() || ::fstat(file.fd.get(), &status) != 0) {
    return Error::from_errno("cannot open the recording", errno).at(path);
  }
  if (!S_ISREG(status.st_mode)) {
    return Error("not a recording (not a regular file)", ErrorKind::corrupt).at(path);
  }
  file.size = static_cast<uint64_t>(status.st_size);
  HAP_TRY(head, read_at(file.fd.get(), 0, std::min<uint64_t>(file.size, page_size), path));
  HAP_TRY(database, database_size(head, file.size, path));
  file.first_page = std::move(head);
  file.database = database;
  return file;
}

}  // namespace

std::optional<std::string_view> attached_content(std::string_view first_page, std::string_view bytes) {
  if (bytes.size() < head_size + digest_size || bytes.substr(0, magic.size()) != magic) return std::nullopt;
  uint64_t size = 0;
  for (size_t i = 0; i < sizeof size; ++i) {
    size |= uint64_t{static_cast<uint8_t>(bytes[magic.size() + i])} << 8 * i;
  }
  if (size != bytes.size() - head_size - digest_size || size > max_attachment_size) return std::nullopt;
  const auto digest = digest_of(first_page, bytes.substr(0, bytes.size() - digest_size));
  if (bytes.substr(bytes.size() - digest_size) != std::string_view(digest.data(), digest.size())) {
    return std::nullopt;
  }
  return bytes.substr(head_size, size);
}

Status attach(const std::string& path, std::string_view content) {
  if (content.size() > max_attachment_size) return Error("too much to attach to a recording").at(path);
  HAP_TRY(file, open_file(path));
  HAP_TRY(copy, PartialFile::create(path));
  constexpr uint64_t piece = uint64_t{1} << 20;
  for (uint64_t done = 0; done < file.database; done += piece) {
    const auto size = static_cast<size_t>(std::min(piece, file.database - done));
    HAP_TRY(bytes, read_at(file.fd.get(), done, size, path));
    HAP_CHECK(write_all(copy.fd(), bytes, copy.path()));
  }
  HAP_CHECK(write_all(copy.fd(), encode(file.first_page, content), copy.path()));
  return copy.publish();
}

Result<std::optional<std::string>> read_attachment(const std::string& path) {
  HAP_TRY(file, open_file(path));
  const uint64_t size = file.size - file.database;
  if (size == 0) return std::optional<std::string>();
  const auto foreign = [&] {
    return Error(fmt::format("the recording has {} bytes too many, or was changed after it was closed", size),
                 ErrorKind::corrupt)
        .at(path)
        .hint("copy the file again from where it was written, or measure again");
  };
  if (size > head_size + max_attachment_size + digest_size) return foreign();
  HAP_TRY(bytes, read_at(file.fd.get(), file.database, size, path));
  const auto content = attached_content(file.first_page, bytes);
  if (!content) return foreign();
  return std::optional(std::string(*content));
}

}  // namespace hap::recording
