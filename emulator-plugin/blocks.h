// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs of machine code, as the emulator translates them, and which of them ran for whom in the current
// window.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "generated_code.h"
#include "user_mappings.h"

namespace hap_plugin {

// One run of instructions that executes as a whole once it is entered.
struct Block {
  uint64_t* mask = nullptr;  // who ran it in this window, by slot: the first of `mask_words`, see Blocks
  uint32_t id = 0;           // number in the stream; 0: not yet written
  uint32_t size = 0;
  uint64_t hash = 0;
  CodePlace place;
  bool in_guest = false;
  bool return_site =
      false;  // a region may end here: its mask stays empty, so that every execution is looked at
};

// Slots of actors that the masks have room for; further actors of a window go through a set of pairs.
inline constexpr unsigned mask_words = 16;
inline constexpr unsigned mask_slots = mask_words * 64;
// A lab run has some 100,000 blocks. Address space for this many masks is taken at once, memory as it is
// used.
inline constexpr size_t block_capacity = size_t{1} << 22;
inline constexpr size_t mask_bytes = block_capacity * mask_words * sizeof(uint64_t);

// What every executed block touches is one 64-bit word of its mask, and the first words of all blocks stand
// in one array in the order of translation (then the second words, and so on): code that runs together shares
// cache lines. (With the mask inside `Block`, cache misses on it were two thirds of the collector's whole
// cost.)
class Blocks {
 public:
  // `masks`: mask_bytes of zeroes.
  explicit Blocks(Memory masks) : memory_(std::move(masks)) {}

  // The block with this identity; translations come and go, blocks stay. Null when there are too many.
  Block* find(const CodePlace& place, uint32_t size, uint64_t hash, bool in_guest);

  Block& of_mask(const uint64_t* mask) { return blocks_[static_cast<size_t>(mask - masks_)]; }

  // From now on the block at this kernel address always takes the slow path.
  void watch_return(uint64_t address);

  // For blocks and actors the masks have no room for: true when the pair is new in this window.
  bool first_time(const Block& block, uint32_t actor) {
    return pairs_.insert(static_cast<uint64_t>(block.id) << 32 | actor).second;
  }
  // Forgets who ran what; `words` is how many words of the masks were in use.
  void new_window(unsigned words);

  size_t count() const { return blocks_.size(); }
  uint64_t dropped() const { return dropped_; }

  // The images whose text `watch_return` is about.
  void set_kernel_images(uint32_t kernel, uint32_t hypervisor) {
    kernel_image_ = kernel;
    hypervisor_image_ = hypervisor;
  }

 private:
  struct Key {
    uint32_t image;
    uint32_t size;
    uint64_t address;
    uint64_t hash;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const {
      return (key.address * 0x9e3779b97f4a7c15u) ^ (key.hash + key.size) ^
             (static_cast<uint64_t>(key.image) << 40);
    }
  };
  Memory memory_;
  uint64_t* masks_ = reinterpret_cast<uint64_t*>(memory_.data());  // [mask_words][block_capacity]
  std::deque<Block> blocks_;
  uint64_t dropped_ = 0;
  std::unordered_map<Key, Block*, KeyHash> index_;
  std::unordered_multimap<uint64_t, Block*> kernel_blocks_;
  std::unordered_set<uint64_t> return_sites_;
  std::unordered_set<uint64_t> pairs_;
  uint32_t kernel_image_ = 0;
  uint32_t hypervisor_image_ = 0;
};

}  // namespace hap_plugin
