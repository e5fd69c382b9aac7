// SPDX-License-Identifier: GPL-2.0-or-later
#include "blocks.h"

#include <cstring>

namespace hap_plugin {

Block* Blocks::find(const CodePlace& place, uint32_t size, uint64_t hash, bool in_guest) {
  const auto [entry, added] = index_.try_emplace({place.image, size, place.address, hash}, nullptr);
  if (!added) return entry->second;
  if (blocks_.size() == block_capacity) {
    ++dropped_;
    index_.erase(entry);
    return nullptr;
  }
  Block& block = blocks_.emplace_back();
  block.mask = masks_ + blocks_.size() - 1;
  block.place = place;
  block.size = size;
  block.hash = hash;
  block.in_guest = in_guest;
  if (place.image == kernel_image_ || place.image == hypervisor_image_) {
    kernel_blocks_.emplace(place.address, &block);
    block.return_site = return_sites_.count(place.address) != 0;
  }
  entry->second = &block;
  return &block;
}

void Blocks::new_window(unsigned words) {
  pairs_.clear();
  for (unsigned word = 0; word < words; ++word) {
    std::memset(masks_ + word * block_capacity, 0, blocks_.size() * sizeof(uint64_t));
  }
}

void Blocks::watch_return(uint64_t address) {
  if (!return_sites_.insert(address).second) return;
  const auto [first, last] = kernel_blocks_.equal_range(address);
  for (auto at = first; at != last; ++at) {
    // The mask is given up in mid-window: what it said goes on in the set of pairs, at worst as a repetition.
    at->second->return_site = true;
    for (unsigned word = 0; word < mask_words; ++word) at->second->mask[word * block_capacity] = 0;
  }
}

}  // namespace hap_plugin
