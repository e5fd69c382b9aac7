#include "recording/seal.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "hap/recording.h"
#include "recording/attachment.h"
#include "recording/raw_digest.h"
#include "recording/schema.h"

namespace hap::recording {
namespace {

// Offsets in the header of a SQLite file (sqlite.org/fileformat2.html, section 1.3).
constexpr std::string_view magic("SQLite format 3\0", 16);
constexpr size_t header_size = 100;
constexpr size_t page_size_at = 16;
constexpr size_t write_version_at = 18;
constexpr size_t read_version_at = 19;
constexpr size_t reserved_at = 20;
constexpr size_t page_count_at = 28;
constexpr size_t user_version_at = 60;
constexpr size_t application_id_at = 68;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint32_t big_endian(std::string_view bytes, size_t at, size_t width) {
  uint32_t value = 0;
  for (size_t i = 0; i < width; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

// SHA-256 with the seal taken as zero.
std::array<char, digest_size> digest_of(std::string_view content) {
  constexpr size_t seal_at = page_size - seal_size;
  static const std::string zeroes(seal_size, '\0');
  Sha256 hash;
  hash.update(content.substr(0, seal_at)).update(zeroes).update(content.substr(page_size));
  return raw_digest(hash);
}

}  // namespace

Status seal_file(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return Error::from_errno("cannot examine", errno).at(path);
  const auto size = static_cast<size_t>(status.st_size);
  if (size < page_size) return Error("the database has no pages").at(path);
  void* map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) return Error::from_errno("cannot map", errno).at(path);
  const auto seal = digest_of({static_cast<const char*>(map), size});
  ::munmap(map, size);
  if (::pwrite(fd, seal.data(), seal.size(), page_size - seal_size) != static_cast<ssize_t>(seal.size())) {
    return Error::from_errno("cannot write the digest", errno).at(path);
  }
  return {};
}

namespace {

const char* const again = "copy the file again from where it was written, or measure again";

Error corrupt(std::string what, const std::string& path, std::string hint = again) {
  return Error(std::move(what), ErrorKind::corrupt).at(path).hint(std::move(hint));
}

}  // namespace

Result<size_t> database_size(std::string_view head, uint64_t size, const std::string& path) {
  if (head.substr(0, magic.size()) != magic.substr(0, head.size()) || head.empty()) {
    return corrupt("not a recording (not a SQLite file)", path,
                   "give a .hap file written by `hap measure` or `hap record`");
  }
  if (head.size() < header_size) return corrupt("the recording is cut short within its header", path);
  if (big_endian(head, application_id_at, 4) != application_id) {
    return corrupt("a SQLite file, but not a recording", path,
                   "give a .hap file written by `hap measure` or `hap record`");
  }
  const uint32_t version = big_endian(head, user_version_at, 4);
  if (version > static_cast<uint32_t>(recording_schema_version)) {
    return corrupt(fmt::format("the recording has schema version {}, this hap reads up to {}", version,
                               recording_schema_version),
                   path, "use the version of hapmeter that wrote it, or a newer one");
  }
  if (version == 0) return corrupt("the recording has no schema version", path);
  if (big_endian(head, page_size_at, 2) != page_size || big_endian(head, reserved_at, 1) != seal_size ||
      head[write_version_at] != 1 || head[read_version_at] != 1) {
    return corrupt("the recording was changed after it was closed", path);
  }
  const uint64_t expected = uint64_t{page_size} * big_endian(head, page_count_at, 4);
  if (size < expected || size < page_size) {
    return corrupt(fmt::format("the recording is cut short: {} of {} bytes", size, expected), path);
  }
  if (expected < page_size) {
    return corrupt(fmt::format("the recording has {} bytes too many", size - expected), path);
  }
  return expected;
}

Result<size_t> check_seal(std::span<const std::byte> bytes, const std::string& path) {
  const auto content = as_text(bytes);
  HAP_TRY(size, database_size(content.substr(0, page_size), content.size(), path));
  const auto rest = content.substr(size);
  if (!rest.empty() && !attached_content(content.substr(0, page_size), rest)) {
    return corrupt(
        fmt::format("the recording has {} bytes too many, or was changed after it was closed", rest.size()),
        path);
  }
  const auto seal = digest_of(content.substr(0, size));
  if (std::memcmp(seal.data(), content.data() + page_size - seal_size, seal_size) != 0) {
    return corrupt("the recording is damaged: its digest does not match", path);
  }
  return size;
}

}  // namespace hap::recording
