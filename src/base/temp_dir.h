// A temporary folder that does not outlive its owner, even when the owner is killed with -9.
//
// The folder holds a lock file on which the owner keeps an flock. The kernel drops the lock when the owner
// dies, so `reap_abandoned`, which every start of hap calls, can tell an abandoned folder from one in use.
#pragma once

#include <string>

#include "base/unique_fd.h"
#include "hap/result.h"

namespace hap {

class TempDir {
 public:
  // Creates `parent`/hap-<random>; `parent` is created when missing.
  static Result<TempDir> create(const std::string& parent);
  // The usual parent: <cache>/tmp.
  static Result<TempDir> create();

  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&& other) noexcept;
  ~TempDir();

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  TempDir(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  UniqueFd lock_;
};

// Removes the folders under `parent` whose owner is gone; returns how many.
int reap_abandoned(const std::string& parent);

}  // namespace hap
