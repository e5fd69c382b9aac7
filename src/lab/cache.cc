#include "lab/cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "base/paths.h"

namespace hap::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr size_t kHashDigits = 12;

Result<UniqueFd> open_lock(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return Error::from_errno("opening a lock of the lab's cache", errno).at(path);
  return fd;
}

// Waits for the exclusive lock, says so once, and lets the user interrupt.
Status lock_exclusively(int fd, const std::string& name, Progress& progress, const CancelToken& cancel) {
  bool said = false;
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return Error::from_errno("locking the lab's cache", errno);
    HAP_CHECK(cancel.check());
    if (!said) progress.step("waiting for another hap that builds or uses " + name);
    said = true;
    std::this_thread::sleep_for(200ms);
  }
  return {};
}

uint64_t disk_bytes(const std::string& folder) {
  uint64_t total = 0;
  std::error_code ec;
  for (fs::recursive_directory_iterator walk(folder, ec); !ec && walk != fs::recursive_directory_iterator();
       walk.increment(ec)) {
    struct stat st {};
    if (lstat(walk->path().c_str(), &st) == 0) total += static_cast<uint64_t>(st.st_blocks) * 512;
  }
  return total;
}

bool is_entry_name(const std::string& name) {
  return name != "tmp" && name != "locks" && name[0] != '.';
}

}  // namespace

std::string format_bytes(uint64_t bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

Status compare_disk_space(const std::string& folder, uint64_t needed, uint64_t free) {
  if (free >= needed) return {};
  return Error("not enough disk space: " + format_bytes(needed) + " are needed, " + format_bytes(free) +
               " are free")
      .at(folder)
      .hint("free " + format_bytes(needed - free) + ", or point XDG_CACHE_HOME at another disk");
}

Status check_disk_space(const std::string& folder, uint64_t needed) {
  HAP_TRY(free, free_disk_bytes(folder));
  return compare_disk_space(folder, needed, free);
}

Result<LabCache> LabCache::open() {
  HAP_TRY(cache, cache_dir());
  return open_at(cache + "/lab");
}

Result<LabCache> LabCache::open_at(const std::string& folder) {
  HAP_CHECK(make_dirs(folder + "/tmp"));
  HAP_CHECK(make_dirs(folder + "/locks"));
  reap_abandoned(folder + "/tmp");
  return LabCache(folder);
}

std::string LabCache::entry_name(const std::string& kind, const nlohmann::json& inputs) {
  return kind + "-" + sha256_hex(inputs.dump()).substr(0, kHashDigits);
}

Result<std::optional<CacheEntry>> LabCache::find(const std::string& name, bool thorough) const {
  std::string path = folder_ + "/" + name;
  std::error_code ec;
  if (!fs::exists(path, ec)) return std::optional<CacheEntry>();
  HAP_TRY(lock, open_lock(lock_path(name)));
  // A remover holds the lock exclusively for a moment only.
  if (flock(lock.get(), LOCK_SH) != 0) return Error::from_errno("locking the lab's cache", errno);
  if (!fs::exists(path, ec)) return std::optional<CacheEntry>();
  auto text = read_file(path + "/" + kManifestName);
  auto manifest = text ? Manifest::parse(*text) : Result<Manifest>(text.error());
  Status intact = manifest ? verify_files(path, *manifest, thorough) : Status(manifest.error());
  if (!intact) {
    Error error = intact.error();
    return std::move(error)
        .of_kind(ErrorKind::corrupt)
        .hint("run `hap lab build`, which replaces what is damaged");
  }
  return std::optional<CacheEntry>(
      CacheEntry{path, std::move(*manifest), std::make_shared<UniqueFd>(std::move(lock))});
}

Result<CacheEntry> LabCache::find_or_build(const std::string& name, const nlohmann::json& inputs,
                                           uint64_t space_needed, const Build& build, Progress& progress,
                                           const CancelToken& cancel, bool again) const {
  if (!again) {
    auto entry = find(name);
    if (entry && *entry) return std::move(**entry);
    if (!entry && entry.error().kind() == ErrorKind::corrupt) progress.note(entry.error().to_string());
  }
  {
    HAP_TRY(lock, open_lock(lock_path(name)));
    HAP_CHECK(lock_exclusively(lock.get(), name, progress, cancel));
    std::string path = folder_ + "/" + name;
    auto text = read_file(path + "/" + kManifestName);
    auto manifest = text ? Manifest::parse(*text) : Result<Manifest>(text.error());
    bool intact = manifest && verify_files(path, *manifest, false).ok();
    if (again || !intact) {
      HAP_CHECK(check_disk_space(folder_, space_needed));
      HAP_TRY(work, TempDir::create(folder_ + "/tmp"));
      std::string content = work.file("content");
      HAP_CHECK(make_dirs(content));
      HAP_TRY(facts, build(content));
      HAP_CHECK(cancel.check());
      HAP_TRY(files, list_files(content));
      Manifest made{name, inputs, facts, files};
      HAP_CHECK(write_file_atomic(content + "/" + kManifestName, made.to_text()));
      // A reader never sees a half: the old folder moves away, the new one in, each by one rename.
      if (rename(path.c_str(), work.file("old").c_str()) != 0 && errno != ENOENT) {
        return Error::from_errno("replacing a damaged folder", errno).at(path);
      }
      if (rename(content.c_str(), path.c_str()) != 0) return Error::from_errno("publishing", errno).at(path);
    }
  }
  HAP_TRY(entry, find(name));
  if (!entry)
    return Error("the lab's cache was emptied while it was being built").hint("run `hap lab build` again");
  return std::move(*entry);
}

std::vector<CacheRow> LabCache::rows(bool thorough) const {
  std::vector<CacheRow> rows;
  std::error_code ec;
  for (const auto& folder : fs::directory_iterator(folder_, ec)) {
    CacheRow row{folder.path().filename().string(), 0, false, nullptr, std::nullopt};
    if (!is_entry_name(row.name) || !folder.is_directory(ec)) continue;
    row.bytes = disk_bytes(folder.path().string());
    if (auto lock = open_lock(lock_path(row.name))) row.in_use = flock(lock->get(), LOCK_EX | LOCK_NB) != 0;
    auto entry = find(row.name, thorough);
    if (!entry) {
      row.problem = entry.error().to_string();
    } else if (*entry) {
      row.facts = (*entry)->manifest.facts;
    }
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return rows;
}

Status LabCache::remove(const std::string& name) const {
  HAP_TRY(lock, open_lock(lock_path(name)));
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error("in use by another hap").at(folder_ + "/" + name).hint("wait until it has finished");
  }
  // First out of sight, then removed at leisure: an interrupted removal leaves no half folder.
  HAP_TRY(grave, TempDir::create(folder_ + "/tmp"));
  if (rename((folder_ + "/" + name).c_str(), grave.file("content").c_str()) != 0 && errno != ENOENT) {
    return Error::from_errno("removing", errno).at(folder_ + "/" + name);
  }
  return {};
}

void LabCache::trim(const std::string& prefix, size_t keep) const {
  std::vector<std::pair<fs::file_time_type, std::string>> entries;
  std::error_code ec;
  for (const auto& folder : fs::directory_iterator(folder_, ec)) {
    std::string name = folder.path().filename().string();
    if (name.rfind(prefix, 0) == 0) entries.emplace_back(folder.last_write_time(ec), name);
  }
  std::sort(entries.rbegin(), entries.rend());
  for (size_t i = keep; i < entries.size(); ++i) (void)remove(entries[i].second);
}

}  // namespace hap::lab
