// Recording + Resolver -> ProfileContent, in one pass over the hits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "attribute/profile_content.h"
#include "attribute/scope.h"

namespace hap::attribute {

// Row id -> position. Collectors number their rows densely, but the format does not demand it.
class IdPositions {
 public:
  void reserve(size_t rows) { dense_limit_ = 4 * rows + 1024; }
  void set(uint32_t id, uint32_t position) {
    if (id >= dense_limit_) {
      sparse_[id] = position;
      return;
    }
    if (id >= dense_.size()) dense_.resize(size_t{id} + 1, none);
    dense_[id] = position;
  }
  // `none` when there is no such row.
  uint32_t find(uint32_t id) const {
    if (id < dense_.size()) return dense_[id];
    const auto found = sparse_.find(id);
    return found == sparse_.end() ? none : found->second;
  }
  static constexpr uint32_t none = 0xffffffff;

 private:
  size_t dense_limit_ = 0;
  std::vector<uint32_t> dense_;
  std::unordered_map<uint32_t, uint32_t> sparse_;
};

class ProfileBuilder {
 public:
  ProfileBuilder(const Recording& recording, const Resolver& resolver);
  Status run();
  std::unique_ptr<ProfileContent> take() { return std::move(out_); }

 private:
  // A block's hits under one account.
  struct Portion {
    uint32_t account;
    std::vector<uint64_t> windows;
  };
  // Numbers of one image's functions, files and lines in the profile; filled as they are met.
  struct Translation {
    uint32_t code_base = 0;
    bool kernel_code = false;
    std::vector<uint32_t> functions, files, lines;
  };

  Status load_blocks();
  Status load_hits();
  Status add_hit(const Hit& hit);
  void finish_block();
  void add_resolved(uint32_t block, const Resolution& resolution);

  uint32_t account_for(uint32_t actor, uint32_t image);
  uint32_t account_number(const Account& account);
  uint32_t code_base_of(const Image& image);
  uint32_t function_number(uint32_t image, FunctionId id);
  uint32_t label_number(uint32_t image, std::string_view label);
  uint32_t file_number(uint32_t image, FileId id);
  uint32_t line_number(uint32_t image, LineId id);
  uint32_t subsystem_number(std::string name);
  std::string subsystem_of_image(uint32_t image) const;
  void check();

  const Recording& recording_;
  const Resolver& resolver_;
  const RecordingHeader& header_;
  Scope scope_;
  size_t words_;
  std::unique_ptr<ProfileContent> out_;

  IdPositions block_position_, actor_position_, task_position_, window_position_;
  std::vector<uint64_t> serve_mask_;
  std::vector<std::vector<uint32_t>> account_cache_;  // by actor position, image
  bool idle_ = false;                                 // a recording of the idle machine
  std::vector<uint8_t> task_served_;
  std::vector<Translation> translations_;
  std::unordered_map<std::string, uint32_t> code_bases_, function_keys_, subsystem_keys_, file_keys_;
  std::unordered_map<uint64_t, uint32_t> line_keys_, function_line_keys_;

  bool in_block_ = false;
  uint32_t block_id_ = 0;
  std::vector<Portion> portions_;
  size_t portions_used_ = 0;
  std::vector<uint64_t> bits_;
  Resolution resolution_;
};

}  // namespace hap::attribute
