// SPDX-License-Identifier: GPL-2.0-or-later
#include "user_mappings.h"

#include <cstring>

namespace hap_plugin {
namespace {

using hap::stream::ImageKind;

constexpr uint64_t page_shift = 12;
constexpr int deepest_path = 128;
constexpr int deepest_tree = 16;

// Maple tree pointers (include/linux/maple_tree.h): a node is 256-byte aligned and its type is in bits 3
// to 6.
constexpr uint64_t maple_node_mask = 0xff;
constexpr unsigned maple_type_shift = 3;
constexpr uint64_t maple_leaf_64 = 1;
constexpr uint64_t maple_range_64 = 2;
constexpr uint64_t maple_arange_64 = 3;
constexpr unsigned maple_range_pivots = 15;
constexpr unsigned maple_arange_pivots = 9;

}  // namespace

uint32_t Images::id(ImageKind kind, uint64_t device, uint64_t inode, const std::string& path) {
  const auto [entry, added] = ids_.try_emplace({kind, device, inode, path}, 0);
  if (added) {
    rows_.push_back({kind, device, inode, path, false});
    entry->second = static_cast<uint32_t>(rows_.size());
  }
  return entry->second;
}

UserMappings::UserMappings(const HookTable& hooks, GuestAccess& guest, Images& images)
    : guest_(guest), images_(images) {
  at_ = {hooks.value("current_task"),
         hooks.offset("task_struct.mm"),
         hooks.offset("mm_struct.mm_mt.ma_root"),
         hooks.offset("maple_range_64.pivot"),
         hooks.offset("maple_range_64.slot"),
         hooks.offset("maple_arange_64.pivot"),
         hooks.offset("maple_arange_64.slot"),
         hooks.offset("vm_area_struct.vm_start"),
         hooks.offset("vm_area_struct.vm_end"),
         hooks.offset("vm_area_struct.vm_pgoff"),
         hooks.offset("vm_area_struct.vm_file"),
         hooks.offset("vm_area_struct.vm_ops"),
         hooks.offset("vm_area_struct.vm_private_data"),
         hooks.value("special_mapping_vmops"),
         hooks.offset("vm_special_mapping.name"),
         hooks.offset("file.f_inode"),
         hooks.offset("file.f_path.mnt"),
         hooks.offset("file.f_path.dentry"),
         hooks.offset("inode.i_ino"),
         hooks.offset("inode.i_sb"),
         hooks.offset("super_block.s_dev"),
         hooks.offset("dentry.d_parent"),
         hooks.offset("dentry.d_name.name"),
         hooks.offset("mount.mnt"),
         hooks.offset("mount.mnt_parent"),
         hooks.offset("mount.mnt_mountpoint"),
         hooks.offset("vfsmount.mnt_root")};
}

uint64_t UserMappings::current_task_in_user_mode() {
  // User code runs with the kernel's gs base swapped out.
  const uint64_t per_cpu = guest_.read_register(Register::kernel_gs_base);
  return guest_.read_u64(per_cpu + at_.current_task).value_or(0);
}

CodePlace UserMappings::place(uint64_t address) {
  const uint64_t task = current_task_in_user_mode();
  const uint64_t mm = task == 0 ? 0 : guest_.read_u64(task + at_.task_mm).value_or(0);
  const uint64_t mapping = mm == 0 ? 0 : find_mapping(mm, address);
  if (mapping == 0) {
    ++unresolved_;
    return {};
  }
  const uint64_t start = guest_.read_u64(mapping + at_.vm_start).value_or(0);
  const uint64_t file = guest_.read_u64(mapping + at_.vm_file).value_or(0);
  if (file == 0) return place_without_file(mapping, address, start);
  const uint64_t page = guest_.read_u64(mapping + at_.vm_pgoff).value_or(0);
  return place_in_file(file, address - start + (page << page_shift));
}

// Walks the maple tree. User code is running on this processor, so the tree is not being changed by it, and
// the kernel keeps trees of shared mms walkable at any time (they are read under RCU).
uint64_t UserMappings::find_mapping(uint64_t mm, uint64_t address) {
  uint64_t entry = guest_.read_u64(mm + at_.ma_root).value_or(0);
  const bool is_node = (entry & 3) == 2 && entry > 4096;
  if (!is_node) return 0;
  for (int depth = 0; depth < deepest_tree; ++depth) {
    const uint64_t node = entry & ~maple_node_mask;
    const uint64_t type = (entry >> maple_type_shift) & 0xf;
    const bool arange = type == maple_arange_64;
    if (type != maple_leaf_64 && type != maple_range_64 && !arange) return 0;
    const unsigned pivots = arange ? maple_arange_pivots : maple_range_pivots;
    const uint8_t* bytes =
        guest_.read_bytes(node + (arange ? at_.arange_pivot : at_.range_pivot), pivots * 8);
    if (bytes == nullptr) return 0;
    unsigned slot = 0;
    for (; slot < pivots; ++slot) {
      uint64_t pivot;
      std::memcpy(&pivot, bytes + slot * 8, sizeof(pivot));
      // A pivot of 0 behind the first ends the node: the slot reaches to the node's own limit.
      if (pivot >= address || (pivot == 0 && slot > 0)) break;
    }
    entry = guest_.read_u64(node + (arange ? at_.arange_slot : at_.range_slot) + slot * 8).value_or(0);
    if (entry == 0) return 0;
    if (type == maple_leaf_64) {
      const uint64_t start = guest_.read_u64(entry + at_.vm_start).value_or(0);
      const uint64_t end = guest_.read_u64(entry + at_.vm_end).value_or(0);
      return start <= address && address < end ? entry : 0;
    }
  }
  return 0;
}

CodePlace UserMappings::place_in_file(uint64_t file, uint64_t offset) {
  const uint64_t inode = guest_.read_u64(file + at_.file_inode).value_or(0);
  const uint64_t number = guest_.read_u64(inode + at_.inode_ino).value_or(0);
  const uint64_t superblock = guest_.read_u64(inode + at_.inode_sb).value_or(0);
  const uint64_t device = guest_.read_u32(superblock + at_.sb_dev).value_or(0);
  if (superblock == 0) {
    ++unresolved_;
    return {};
  }
  KnownFile& known = files_[inode];
  if (known.image == 0 || known.inode_number != number || known.device != device) {
    const uint64_t dentry = guest_.read_u64(file + at_.file_dentry).value_or(0);
    const uint64_t mount = guest_.read_u64(file + at_.file_mnt).value_or(0);
    std::string path = path_of(dentry, mount, superblock);
    ImageKind kind = ImageKind::user_file;
    if (path.compare(0, 7, "/memfd:") == 0) {
      path = "[" + path.substr(1) + "]";
      kind = ImageKind::user_anonymous;
    } else if (path.compare(0, 5, "/dev/") == 0 && path.find("zero") != std::string::npos) {
      path = "[anon-shared]";
      kind = ImageKind::user_anonymous;
    }
    known = {number, device, images_.id(kind, device, number, path)};
  }
  return {known.image, offset};
}

CodePlace UserMappings::place_without_file(uint64_t mapping, uint64_t address, uint64_t start) {
  const uint64_t operations = guest_.read_u64(mapping + at_.vm_ops).value_or(0);
  if (operations != 0 && operations == at_.special_mapping_ops) {
    const uint64_t special = guest_.read_u64(mapping + at_.vm_private_data).value_or(0);
    const uint64_t name = guest_.read_u64(special + at_.special_mapping_name).value_or(0);
    const std::string label = guest_.read_string(name, 32);
    return {images_.id(ImageKind::user_anonymous, 0, 0, label.empty() ? "[special]" : label),
            address - start};
  }
  return {images_.id(ImageKind::user_anonymous, 0, 0, "[anon]"), address};
}

std::string UserMappings::name_of(uint64_t dentry) {
  const uint64_t name = guest_.read_u64(dentry + at_.dentry_name).value_or(0);
  return "/" + guest_.read_string(name, 255);
}

// A file can be reached through many mounts (containers bind parts of the root file system, overlays clone
// mounts that hang nowhere). So its path is that inside its file system, behind the place where the file
// system was mounted when its first file was seen: that is before any sandbox has run.
std::string UserMappings::path_of(uint64_t dentry, uint64_t vfsmount, uint64_t superblock) {
  std::string inside;
  for (uint64_t at = dentry; inside.size() < 4096;) {
    const uint64_t parent = guest_.read_u64(at + at_.dentry_parent).value_or(0);
    if (parent == at || parent == 0) {
      // A file that is its own root (memfd, shared anonymous memory) has only a name.
      if (inside.empty()) return name_of(at);
      break;
    }
    inside.insert(0, name_of(at));
    at = parent;
  }
  if (const auto known = mount_points_.find(superblock); known != mount_points_.end())
    return known->second + inside;

  std::string mounted;
  uint64_t at = dentry;
  uint64_t mount = vfsmount - at_.mount_mnt;
  for (int depth = 0; at != 0 && depth < deepest_path; ++depth) {
    const uint64_t root = guest_.read_u64(mount + at_.mount_mnt + at_.mnt_root).value_or(0);
    if (at == root) {
      const uint64_t parent_mount = guest_.read_u64(mount + at_.mount_parent).value_or(0);
      if (parent_mount == mount || parent_mount == 0) break;
      at = guest_.read_u64(mount + at_.mount_mountpoint).value_or(0);
      mount = parent_mount;
      continue;
    }
    mounted.insert(0, name_of(at));
    at = guest_.read_u64(at + at_.dentry_parent).value_or(0);
  }
  const bool whole = mounted.size() >= inside.size() &&
                     mounted.compare(mounted.size() - inside.size(), inside.size(), inside) == 0;
  if (whole) mount_points_[superblock] = mounted.substr(0, mounted.size() - inside.size());
  return whole ? mounted : inside;
}

}  // namespace hap_plugin
