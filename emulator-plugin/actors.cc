// SPDX-License-Identifier: GPL-2.0-or-later
#include "actors.h"

namespace hap_plugin {

Actors::Actors(StreamWriter& stream) : stream_(stream) {
  owners_.emplace_back();
}

uint32_t Actors::owner(hap::stream::Owner kind, uint32_t task, const std::string& name) {
  const auto [entry, added] = owner_ids_.try_emplace({kind, task, name}, 0);
  if (added) {
    entry->second = static_cast<uint32_t>(owners_.size());
    owners_.push_back({kind, task, name});
  }
  return entry->second;
}

Actor& Actors::find(uint32_t task, hap::stream::Cause cause, uint32_t owner, bool in_guest) {
  const auto key_of = [&](bool guest) {
    return static_cast<uint64_t>(task) << 32 | static_cast<uint64_t>(owner) << 8 |
           static_cast<uint64_t>(cause) << 1 | (guest ? 1 : 0);
  };
  if (const auto found = actors_.find(key_of(in_guest)); found != actors_.end()) return found->second;
  if (in_guest) {
    const uint32_t id = find(task, cause, owner, false).id;
    return actors_.emplace(key_of(true), Actor{id}).first->second;
  }
  const OwnerRow& row = owners_[owner];
  stream_.begin(hap::stream::Chunk::actor);
  stream_.u32(next_id_);
  stream_.u32(task);
  stream_.u8(static_cast<uint8_t>(cause));
  stream_.u8(static_cast<uint8_t>(row.kind));
  stream_.u32(row.task);
  stream_.string(row.name);
  stream_.end();
  return actors_.emplace(key_of(false), Actor{next_id_++}).first->second;
}

void Actors::place(Actor& actor, uint32_t window) {
  if (actor.window == window) return;
  if (slots_window_ != window) {
    slots_window_ = window;
    slots_used_ = 0;
  }
  actor.window = window;
  actor.slot = slots_used_++;
  if (actor.slot >= mask_slots) ++slots_beyond_mask_;
}

}  // namespace hap_plugin
