// Gives the files of the lab's userland, which recordings name by path, their build ids and symbol indexes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/cancel.h"
#include "hap/result.h"
#include "lab/lab.h"

namespace hap::cli {

class UserlandImages {
 public:
  // `cache`: hapmeter's cache folder.
  static UserlandImages open(const lab::Lab& lab, std::string cache, const CancelToken& cancel);

  // The build id of the file at `guest_path`, with its index in the cache; "" when the userland has no such
  // ELF file. The first time a file is asked for it is taken out of the image and indexed; the answer is
  // kept.
  std::string build_id(const std::string& guest_path);
  // Keeps what was learnt for the next run.
  Status save() const;

 private:
  UserlandImages(const lab::Lab& lab, std::string cache, const CancelToken& cancel)
      : lab_(lab), cache_(std::move(cache)), cancel_(cancel) {}
  std::string memory_path() const;
  Result<std::string> index_file(const std::string& guest_path) const;

  const lab::Lab& lab_;
  std::string cache_;
  const CancelToken& cancel_;
  nlohmann::json known_ = nlohmann::json::object();
  bool changed_ = false;
};

}  // namespace hap::cli
