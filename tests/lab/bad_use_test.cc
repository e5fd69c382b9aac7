// What goes wrong around the lab, made to go wrong: no QEMU or an old one, a damaged cache, a disk that fills
// up while building, a recording cut short. Each ends with a clear sentence, the next step, and nothing left
// behind.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/paths.h"
#include "program/hap_program.h"

namespace hap::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class BadUse : public ScratchTest {
 protected:
  std::vector<std::string> measure_bare() const {
    return {"measure",   "--sandbox", "bare", "--workload",       "redis-set",
            "--profile", "fast",      "-o",   scratch("cell.hap")};
  }

  static fs::path real_cache() {
    auto cache = cache_dir();
    EXPECT_TRUE(cache) << cache.error().to_string();
    return *cache;
  }

  // Hooks every entry of the real lab cache whose name `wanted` likes into `cache`.
  static void borrow_entries(const fs::path& cache, const std::function<bool(const std::string&)>& wanted) {
    fs::create_directories(cache / "lab");
    fs::create_directory_symlink(real_cache() / "index", cache / "index");
    for (const auto& entry : fs::directory_iterator(real_cache() / "lab")) {
      const std::string name = entry.path().filename();
      if (name == "locks" || name == "tmp" || !wanted(name)) continue;
      fs::create_directory_symlink(entry.path(), cache / "lab" / name);
    }
  }
};

TEST_F(BadUse, WithoutQemuItSaysWhatToInstall) {
  fs::create_directories(scratch("empty"));
  const auto seen = hap(measure_bare(), {{"PATH", scratch("empty")}});
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_THAT(seen.err, HasSubstr("QEMU is not installed"));
  EXPECT_THAT(seen.err, HasSubstr("qemu-system-x86"));
  EXPECT_FALSE(fs::exists(scratch("cell.hap")));
}

TEST_F(BadUse, AnOldQemuIsNamedWithTheVersionNeeded) {
  fs::create_directories(scratch("bin"));
  const std::string old = scratch("bin") + "/qemu-system-x86_64";
  std::ofstream(old) << "#!/bin/sh\necho 'QEMU emulator version 7.2.9 (Debian 1:7.2+dfsg-7)'\n";
  fs::permissions(old, fs::perms::owner_all);
  const auto seen = hap(measure_bare(), {{"PATH", scratch("bin") + ":/usr/bin:/bin"}});
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_THAT(seen.err, HasSubstr("QEMU 7.2.9 is too old"));
  EXPECT_THAT(seen.err, HasSubstr("version 10"));
  EXPECT_FALSE(fs::exists(scratch("cell.hap")));
}

// Intent: damage in the cache is found before it is used, and the way out is named.
TEST_F(BadUse, ADamagedCacheIsNamedWithTheWayOut) {
  const fs::path cache = scratch("cache");
  borrow_entries(cache, [](const std::string& name) { return name.rfind("userland", 0) != 0; });
  for (const auto& entry : fs::directory_iterator(real_cache() / "lab")) {
    const std::string name = entry.path().filename();
    if (name.rfind("userland", 0) != 0) continue;
    const fs::path damaged = cache / "lab" / name;
    fs::create_directories(damaged);
    for (const auto& file : fs::directory_iterator(entry.path())) {
      if (file.path().filename() == "manifest.json") {
        fs::copy_file(file.path(), damaged / "manifest.json");
        fs::resize_file(damaged / "manifest.json", fs::file_size(file.path()) / 2);
      } else {
        fs::create_symlink(file.path(), damaged / file.path().filename());
      }
    }
  }
  const auto seen = hap(measure_bare(), {{"HAP_CACHE_DIR", cache}});
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_THAT(seen.err, HasSubstr("the lab's cache is damaged"));
  EXPECT_THAT(seen.err, HasSubstr("hap lab build"));
  EXPECT_FALSE(fs::exists(scratch("cell.hap")));
  EXPECT_THAT(hap({"lab", "status"}, {{"HAP_CACHE_DIR", cache}}).out, HasSubstr("damaged"));
}

// Fills the disk that holds `cache`, but for `leave` bytes, as soon as something is being built there.
void fill_once_building(const fs::path& cache, uint64_t leave, const std::atomic<bool>& stop) {
  while (!stop) {
    std::error_code ec;
    bool building = false;
    for (fs::recursive_directory_iterator at(cache / "lab" / "tmp", ec), end; !ec && at != end;
         at.increment(ec)) {
      building = building || at->path().filename() == "initramfs.cpio";
    }
    if (building) {
      struct statvfs space {};
      ASSERT_EQ(::statvfs(cache.c_str(), &space), 0);
      const uint64_t free = uint64_t{space.f_bavail} * space.f_frsize;
      const int file = ::open((cache / "ballast").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
      ASSERT_GE(file, 0);
      ASSERT_GT(free, leave);
      EXPECT_EQ(::posix_fallocate(file, 0, static_cast<off_t>(free - leave)), 0);
      ::close(file);
      return;
    }
    ::usleep(20000);
  }
}

// Intent: the check before building cannot foresee what others write meanwhile. When the disk is full, the
// build says so, keeps nothing half-made, and works as soon as there is space again.
TEST_F(BadUse, ADiskThatFillsUpWhileBuildingIsSaid) {
  // A small disk of our own, unseen by the rest of the machine.
  const unsigned user = ::geteuid();
  const unsigned group = ::getegid();
  ASSERT_EQ(::unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER), 0) << std::strerror(errno);
  if (user != 0) {
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
    std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
  }
  ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0) << std::strerror(errno);
  const fs::path cache = scratch("disk");
  fs::create_directories(cache);
  ASSERT_EQ(::mount("disk", cache.c_str(), "tmpfs", 0, "size=6g"), 0) << std::strerror(errno);
  borrow_entries(cache, [](const std::string& name) { return name.rfind("checkpoint", 0) != 0; });

  std::atomic<bool> stop = false;
  std::thread filler([&] { fill_once_building(cache, uint64_t{64} << 20, stop); });
  const auto seen = hap({"lab", "build"}, {{"HAP_CACHE_DIR", cache}});
  stop = true;
  filler.join();
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_THAT(seen.err, HasSubstr("No space left on device")) << seen.err;
  EXPECT_TRUE(fs::exists(cache / "ballast"));
  size_t left = 0;
  for (const auto& entry : fs::directory_iterator(cache / "lab")) {
    const std::string name = entry.path().filename();
    if (name.rfind("checkpoint", 0) == 0) ++left;
    if (name == "tmp") left += static_cast<size_t>(std::distance(fs::directory_iterator(entry), {}));
  }
  EXPECT_EQ(left, 0u) << "half-made folders are left";

  fs::remove(cache / "ballast");
  const auto again = hap({"lab", "build"}, {{"HAP_CACHE_DIR", cache}});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  ::umount2(cache.c_str(), MNT_DETACH);
}

// Intent: wherever a recording is cut, it is refused with its name and a reason; none is read by half.
TEST_F(BadUse, ARecordingCutAnywhereIsRefused) {
  const auto made = hap(measure_bare());
  ASSERT_EQ(made.exit_code, 0) << made.err;
  auto whole = read_file(scratch("cell.hap"));
  ASSERT_TRUE(whole);
  ASSERT_EQ(hap({"report", scratch("cell.hap"), "--format", "json"}).exit_code, 0);
  const std::string cut = scratch("cut.hap");
  std::vector<size_t> sizes = {0, 1, 15, 16, 99, 100, 4095, 4096, whole->size() - 4096, whole->size() - 1};
  for (size_t i = 1; i < 40; ++i) sizes.push_back(whole->size() / 40 * i + i);
  for (const size_t size : sizes) {
    std::ofstream(cut, std::ios::binary | std::ios::trunc).write(whole->data(), static_cast<long>(size));
    const auto seen = hap({"report", cut});
    EXPECT_EQ(seen.exit_code, 1) << size;
    EXPECT_EQ(seen.out, "") << size;
    EXPECT_THAT(seen.err, HasSubstr("cut.hap")) << size;
  }
}

}  // namespace
}  // namespace hap::testing
