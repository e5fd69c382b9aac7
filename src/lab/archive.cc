#include "lab/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/file.h"
#include "base/subprocess.h"
#include "base/unique_fd.h"
#include "lab/step.h"

namespace hap::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr size_t kChunk = size_t{1} << 20;

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, FreeReader>;

Error failed(archive* reader, const std::string& what, const std::string& path) {
  const char* why = archive_error_string(reader);
  return Error(what + (why == nullptr ? "" : std::string(": ") + why)).at(path);
}

// The current entry's content into a file.
Status write_entry(archive* reader, const std::string& path, const CancelToken& cancel) {
  UniqueFd out(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!out.valid()) return Error::from_errno("creating", errno).at(path);
  std::vector<char> buffer(kChunk);
  for (;;) {
    HAP_CHECK(cancel.check());
    la_ssize_t got = archive_read_data(reader, buffer.data(), buffer.size());
    if (got < 0) return failed(reader, "unpacking", path);
    if (got == 0) return {};
    for (la_ssize_t put = 0; put < got;) {
      ssize_t done = write(out.get(), buffer.data() + put, static_cast<size_t>(got - put));
      if (done < 0) return Error::from_errno("writing", errno).at(path);
      put += done;
    }
  }
}

}  // namespace

Status decompress_file(const std::string& from, const std::string& to) {
  Reader reader(archive_read_new());
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_entry* entry = nullptr;
  if (archive_read_open_filename(reader.get(), from.c_str(), kChunk) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK) {
    return failed(reader.get(), "decompressing", from);
  }
  return write_entry(reader.get(), to, CancelToken());
}

Status extract_package(const std::string& package, const std::string& folder,
                       const std::function<bool(const std::string& path)>& wanted,
                       const CancelToken& cancel) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno("cannot create a pipe", errno);
  UniqueFd from_dpkg(ends[0]);
  UniqueFd to_us(ends[1]);
  SpawnOptions options = command({"dpkg-deb", "--fsys-tarfile", package});
  options.stdout_fd = to_us.get();
  HAP_TRY(dpkg, Subprocess::spawn(options));
  to_us.reset();
  Reader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_fd(reader.get(), from_dpkg.get(), kChunk) != ARCHIVE_OK) {
    return failed(reader.get(), "reading the package", package);
  }
  size_t files = 0;
  for (;;) {
    HAP_CHECK(cancel.check());
    archive_entry* entry = nullptr;
    int state = archive_read_next_header(reader.get(), &entry);
    if (state == ARCHIVE_EOF) break;
    if (state != ARCHIVE_OK && state != ARCHIVE_WARN)
      return failed(reader.get(), "reading the package", package);
    std::string path = archive_entry_pathname(entry);
    if (archive_entry_filetype(entry) != AE_IFREG || path.find("..") != std::string::npos || !wanted(path))
      continue;
    std::string target = folder + "/" + path;
    HAP_CHECK(make_dirs(fs::path(target).parent_path().string()));
    HAP_CHECK(write_entry(reader.get(), target, cancel));
    ++files;
  }
  // The rest of the padding: closing early would make dpkg-deb fail.
  char rest[4096];
  while (read(from_dpkg.get(), rest, sizeof rest) > 0) {
  }
  HAP_TRY(status, dpkg.wait_for(60s));
  if (!status || *status != 0)
    return Error("dpkg-deb could not read the package", ErrorKind::corrupt).at(package);
  if (files == 0) return Error("the package holds none of the expected files").at(package);
  return {};
}

}  // namespace hap::lab
