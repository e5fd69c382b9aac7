#include "lab/ext4.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "base/file.h"
#include "base/subprocess.h"
#include "lab/step.h"

namespace hap::lab {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kBlock = 4096;
constexpr uint64_t kInodeBytes = 256;

struct Extent {
  uint64_t bytes = 0;
  uint64_t files = 0;
};

Extent measure(const std::string& folder) {
  Extent extent;
  std::error_code ec;
  for (fs::recursive_directory_iterator walk(folder, ec); !ec && walk != fs::recursive_directory_iterator();
       walk.increment(ec)) {
    struct stat st {};
    if (lstat(walk->path().c_str(), &st) != 0) continue;
    extent.bytes += (static_cast<uint64_t>(st.st_size) + kBlock - 1) / kBlock * kBlock;
    ++extent.files;
  }
  return extent;
}

// The file system is never written to: no journal, nothing reserved, hardly any free space.
std::vector<std::string> mke2fs_command(const std::string& folder, const std::string& image) {
  Extent extent = measure(folder);
  uint64_t inodes = extent.files + 256;
  uint64_t kib = (extent.bytes + inodes * kInodeBytes) / 1024 * 104 / 100 + 16384;
  // By its path: fakeroot looks for it in an ordinary user's PATH, which need not have /usr/sbin.
  return {find_program("mke2fs").value_or("mke2fs"),
          "-q",
          "-F",
          "-t",
          "ext4",
          "-b",
          std::to_string(kBlock),
          "-O",
          "^has_journal,^resize_inode",
          "-m",
          "0",
          "-N",
          std::to_string(inodes),
          "-E",
          "root_owner=0:0",
          "-d",
          folder,
          image,
          std::to_string(kib) + "k"};
}

Status need(const char* program, const char* package) {
  if (find_program(program)) return {};
  return Error(std::string(program) + " is missing", ErrorKind::unsupported)
      .hint(std::string("install the package ") + package);
}

}  // namespace

Status make_ext4_from_folder(const std::string& folder, const std::string& image, const CancelToken& cancel) {
  HAP_CHECK(need("mke2fs", "e2fsprogs"));
  HAP_CHECK(run_step(command(mke2fs_command(folder, image)), image + ".log", cancel));
  return remove_tree(image + ".log");
}

Status make_ext4_from_tar(const std::string& tar, const std::string& folder, const std::string& image,
                          const CancelToken& cancel) {
  HAP_CHECK(need("mke2fs", "e2fsprogs"));
  HAP_CHECK(make_dirs(folder));
  bool root = geteuid() == 0;
  if (!root) HAP_CHECK(need("fakeroot", "fakeroot"));
  std::string state = image + ".owners";
  auto as_root = [&](std::vector<std::string> argv, const std::vector<std::string>& options) {
    if (root) return argv;
    std::vector<std::string> wrapped{"fakeroot"};
    wrapped.insert(wrapped.end(), options.begin(), options.end());
    wrapped.push_back("--");
    wrapped.insert(wrapped.end(), argv.begin(), argv.end());
    return wrapped;
  };
  std::vector<std::string> unpack = {"tar",
                                     "--extract",
                                     "--file",
                                     tar,
                                     "--directory",
                                     folder,
                                     "--numeric-owner",
                                     "--same-permissions",
                                     "--same-owner",
                                     "--exclude=./dev/*"};
  if (root) unpack.insert(unpack.end(), {"--xattrs", "--xattrs-include=security.capability"});
  HAP_CHECK(run_step(command(as_root(unpack, {"-s", state})), image + ".log", cancel));
  HAP_CHECK(run_step(command(as_root(mke2fs_command(folder, image), {"-i", state})), image + ".log", cancel));
  HAP_CHECK(remove_tree(state));
  return remove_tree(image + ".log");
}

}  // namespace hap::lab
