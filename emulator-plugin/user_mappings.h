// SPDX-License-Identifier: GPL-2.0-or-later
//
// What file a user-space address belongs to, asked of the kernel's own tables when the code is translated:
// the current task's mm, its maple tree of mappings, the mapping's file, inode and path. So nothing has to be
// followed from the start, and no mapping made before the checkpoint is missed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>

#include "guest_access.h"
#include "hook_table.h"
#include "stream_format.h"

namespace hap_plugin {

// Where code lives: an image (see Images) and its address there.
struct CodePlace {
  uint32_t image = 0;  // 0: unknown
  uint64_t address = 0;
};

// Images of the stream, numbered when they are first seen and written when the first block of them is.
struct ImageRow {
  hap::stream::ImageKind kind;
  uint64_t device = 0;
  uint64_t inode = 0;
  std::string path;
  bool written = false;
};

class Images {
 public:
  uint32_t id(hap::stream::ImageKind kind, uint64_t device, uint64_t inode, const std::string& path);
  ImageRow& row(uint32_t id) { return rows_[id - 1]; }

 private:
  std::map<std::tuple<hap::stream::ImageKind, uint64_t, uint64_t, std::string>, uint32_t> ids_;
  std::vector<ImageRow> rows_;
};

class UserMappings {
 public:
  UserMappings(const HookTable& hooks, GuestAccess& guest, Images& images);

  // The place of a user-space address of the current task. Image 0 when it cannot be told.
  CodePlace place(uint64_t address);

  uint64_t unresolved() const { return unresolved_; }

  // struct task_struct* of the vCPU whose code is being translated or run, in user mode.
  uint64_t current_task_in_user_mode();

 private:
  uint64_t find_mapping(uint64_t mm, uint64_t address);
  CodePlace place_in_file(uint64_t file, uint64_t offset);
  CodePlace place_without_file(uint64_t mapping, uint64_t address, uint64_t start);
  std::string path_of(uint64_t dentry, uint64_t mount, uint64_t superblock);
  std::string name_of(uint64_t dentry);

  GuestAccess& guest_;
  Images& images_;
  struct Offsets {
    uint64_t current_task, task_mm, ma_root;
    uint64_t range_pivot, range_slot, arange_pivot, arange_slot;
    uint64_t vm_start, vm_end, vm_pgoff, vm_file, vm_ops, vm_private_data;
    uint64_t special_mapping_ops, special_mapping_name;
    uint64_t file_inode, file_mnt, file_dentry, inode_ino, inode_sb, sb_dev;
    uint64_t dentry_parent, dentry_name, mount_mnt, mount_parent, mount_mountpoint, mnt_root;
  } at_;
  struct KnownFile {
    uint64_t inode_number;
    uint64_t device;
    uint32_t image;
  };
  std::unordered_map<uint64_t, KnownFile> files_;           // by struct inode address
  std::unordered_map<uint64_t, std::string> mount_points_;  // by struct super_block address
  uint64_t unresolved_ = 0;
};

}  // namespace hap_plugin
