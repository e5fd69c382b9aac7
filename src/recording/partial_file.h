// A file that is being written and is not yet there under its name.
//
// It lies beside its destination as NAME.partial-<pid>-<random>, and its owner keeps an flock on it. The
// kernel drops the lock when the owner dies, so the next create() in the same folder removes what a kill -9
// left behind and nothing that is in use.
#pragma once

#include <string>

#include "base/unique_fd.h"
#include "hap/result.h"

namespace hap::recording {

class PartialFile {
 public:
  // Removes abandoned partial files in the folder of `destination`, then creates an empty one.
  static Result<PartialFile> create(const std::string& destination);
  PartialFile(PartialFile&&) noexcept = default;
  PartialFile& operator=(PartialFile&&) = delete;
  ~PartialFile();

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }
  // Syncs the content, renames it to the destination and syncs the folder.
  Status publish();

 private:
  PartialFile(std::string destination, std::string path, UniqueFd fd)
      : destination_(std::move(destination)), path_(std::move(path)), fd_(std::move(fd)) {}
  std::string destination_;
  std::string path_;
  UniqueFd fd_;  // -1: moved from or published
};

}  // namespace hap::recording
