#include "ledger/input.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/unique_fd.h"

namespace hap::ledger {
namespace {

namespace fs = std::filesystem;

struct Budget {
  uint64_t left;
  Status spend(uint64_t bytes) {
    if (bytes > left) {
      return Error("the input unpacks to more than the limit allows", ErrorKind::corrupt)
          .hint("import its parts one by one if it is not an archive bomb");
    }
    left -= bytes;
    return {};
  }
};

class FileStream : public ByteStream {
 public:
  FileStream(int fd, std::string name, Budget& budget) : fd_(fd), name_(std::move(name)), budget_(budget) {}
  Result<size_t> read(char* buffer, size_t size) override {
    while (true) {
      const ssize_t got = ::read(fd_, buffer, size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Error::from_errno("cannot read", errno).context(name_);
      HAP_CHECK(budget_.spend(static_cast<uint64_t>(got)));
      return static_cast<size_t>(got);
    }
  }

 private:
  int fd_;
  std::string name_;
  Budget& budget_;
};

struct FreeArchive {
  void operator()(archive* handle) const { archive_read_free(handle); }
};

class MemberStream : public ByteStream {
 public:
  MemberStream(archive* handle, std::string name, Budget& budget)
      : handle_(handle), name_(std::move(name)), budget_(budget) {}
  Result<size_t> read(char* buffer, size_t size) override {
    const la_ssize_t got = archive_read_data(handle_, buffer, size);
    if (got < 0) {
      const char* reason = archive_error_string(handle_);
      return Error(
                 std::string("damaged or truncated archive: ") + (reason != nullptr ? reason : "unreadable"),
                 ErrorKind::corrupt)
          .at(name_);
    }
    HAP_CHECK(budget_.spend(static_cast<uint64_t>(got)));
    return static_cast<size_t>(got);
  }

 private:
  archive* handle_;
  std::string name_;
  Budget& budget_;
};

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(), [name](std::string_view end) { return name.ends_with(end); });
}

std::string_view without_compression(std::string_view name) {
  for (const std::string_view end : {".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z"}) {
    if (name.ends_with(end)) return name.substr(0, name.size() - end.size());
  }
  return name;
}

// Would this member, extracted, land outside its archive?
bool leaves_archive(const std::string& name) {
  if (name.empty() || name.front() == '/') return true;
  size_t start = 0;
  while (start <= name.size()) {
    const size_t end = std::min(name.find('/', start), name.size());
    if (std::string_view(name).substr(start, end - start) == "..") return true;
    start = end + 1;
  }
  return false;
}

Error interrupted() {
  return Error("stopped before the end; nothing of this input was kept", ErrorKind::interrupted);
}

Status walk_archive(int fd, const std::string& path, uint64_t size, Budget& budget, InputVisitor& visitor) {
  const std::unique_ptr<archive, FreeArchive> handle(archive_read_new());
  if (!handle) return Error("out of memory");
  // Only what is handled inside the library: no filter that would start a program, no format made of text.
  for (const auto support :
       {archive_read_support_filter_gzip, archive_read_support_filter_bzip2, archive_read_support_filter_xz,
        archive_read_support_filter_zstd, archive_read_support_filter_lz4,
        archive_read_support_filter_compress, archive_read_support_format_tar,
        archive_read_support_format_zip, archive_read_support_format_cpio, archive_read_support_format_7zip,
        archive_read_support_format_raw}) {
    if (support(handle.get()) < ARCHIVE_WARN) return Error("this libarchive lacks a format").at(path);
  }
  const auto failure = [&](const char* doing) {
    const char* reason = archive_error_string(handle.get());
    return Error(std::string(doing) + ": " + (reason != nullptr ? reason : "unreadable"), ErrorKind::corrupt)
        .at(path);
  };
  if (archive_read_open_fd(handle.get(), fd, 1 << 16) != ARCHIVE_OK)
    return failure("cannot open the archive");
  archive_entry* entry = nullptr;
  while (true) {
    const int status = archive_read_next_header(handle.get(), &entry);
    if (status == ARCHIVE_EOF) return {};
    if (status < ARCHIVE_WARN) return failure("damaged or truncated archive");
    const auto position = archive_filter_bytes(handle.get(), -1);
    if (!visitor.advance(static_cast<uint64_t>(std::max<la_int64_t>(position, 0)), size))
      return interrupted();
    if (archive_format(handle.get()) == ARCHIVE_FORMAT_RAW) {  // a compressed single file
      MemberStream bytes(handle.get(), path, budget);
      HAP_CHECK(visitor.stream(path, bytes));
      continue;
    }
    const char* raw_name = archive_entry_pathname(entry);
    const std::string member = raw_name != nullptr ? raw_name : "";
    const std::string name = path + ":" + member;
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) {
      visitor.refused(name, "a link or special file in an archive");
    } else if (leaves_archive(member)) {
      visitor.refused(name, "a path that leaves the archive");
    } else if (!record_file_name(member) || without_compression(member) != member) {
      visitor.ignored(name);
    } else {
      MemberStream bytes(handle.get(), name, budget);
      HAP_CHECK(visitor.stream(name, bytes));
    }
  }
}

Status walk_file(const std::string& path, Budget& budget, InputVisitor& visitor, bool nested, uint64_t& done,
                 uint64_t total) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | (nested ? O_NOFOLLOW : 0)));
  if (!fd.valid()) return Error::from_errno("cannot open", errno).context(path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return Error::from_errno("cannot read", errno).context(path);
  if (!S_ISREG(status.st_mode)) return Error("not a regular file or folder", ErrorKind::usage).at(path);
  if (!visitor.advance(done, total)) return interrupted();
  done += static_cast<uint64_t>(status.st_size);
  // JSON needs no archive reader; everything else does.
  std::array<char, 8> start{};
  const ssize_t got = ::pread(fd.get(), start.data(), start.size(), 0);
  if (got < 0) return Error::from_errno("cannot read", errno).context(path);
  const std::string_view head(start.data(), static_cast<size_t>(got));
  const size_t text = head.find_first_not_of(" \t\r\n");
  const bool is_text = ends_with_any(path, {".json", ".jsonl", ".ndjson"}) || head.empty() ||
                       text == std::string_view::npos || head[text] == '{' || head[text] == '[' ||
                       head.starts_with("\xef\xbb\xbf");
  if (is_text) {
    FileStream bytes(fd.get(), path, budget);
    return visitor.stream(path, bytes);
  }
  return walk_archive(fd.get(), path, static_cast<uint64_t>(status.st_size), budget, visitor);
}

struct Listing {
  std::vector<std::pair<std::string, uint64_t>> files;
  std::vector<std::string> links;
  std::vector<std::string> others;
};

Result<Listing> list_folder(const std::string& path) {
  Listing listing;
  std::error_code error;
  fs::recursive_directory_iterator at(path, fs::directory_options::none, error);
  if (error) return Error("cannot list the folder: " + error.message()).at(path);
  for (const fs::recursive_directory_iterator end; at != end; at.increment(error)) {
    if (error) return Error("cannot list the folder: " + error.message()).at(path);
    const auto& entry = *at;
    const std::string name = entry.path().string();
    if (entry.is_symlink(error)) {
      if (record_file_name(name)) listing.links.push_back(name);
    } else if (entry.is_directory(error)) {
      if (entry.path().filename() == ".git") at.disable_recursion_pending();
    } else if (entry.is_regular_file(error)) {
      if (record_file_name(name)) {
        listing.files.emplace_back(name, entry.file_size(error));
      } else {
        listing.others.push_back(name);
      }
    }
  }
  if (error) return Error("cannot list the folder: " + error.message()).at(path);
  std::sort(listing.files.begin(), listing.files.end());
  std::sort(listing.links.begin(), listing.links.end());
  return listing;
}

}  // namespace

bool record_file_name(const std::string& name) {
  return ends_with_any(without_compression(name), {".json", ".jsonl", ".ndjson"});
}

Status walk_input(const std::string& path, const InputLimits& limits, InputVisitor& visitor) {
  Budget budget{limits.total_bytes};
  std::error_code error;
  uint64_t done = 0;
  if (!fs::is_directory(path, error)) {
    const auto size = fs::file_size(path, error);
    return walk_file(path, budget, visitor, false, done, error ? 0 : size);
  }
  HAP_TRY(listing, list_folder(path));
  uint64_t total = 0;
  for (const auto& file : listing.files) total += file.second;
  for (const auto& name : listing.others) visitor.ignored(name);
  for (const auto& name : listing.links) visitor.refused(name, "a symbolic link in a folder");
  for (const auto& file : listing.files) HAP_CHECK(walk_file(file.first, budget, visitor, true, done, total));
  return {};
}

Result<std::string> input_digest(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return sha256_file(path);
  HAP_TRY(listing, list_folder(path));
  Sha256 digest;
  for (const auto& [name, size] : listing.files) {
    const auto time = fs::last_write_time(name, error).time_since_epoch().count();
    digest.update(name + '\0' + std::to_string(size) + '\0' + std::to_string(time) + '\0');
  }
  return digest.hex();
}

}  // namespace hap::ledger
