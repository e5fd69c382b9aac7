// SPDX-License-Identifier: GPL-2.0-or-later
//
// Actors: on whose behalf code runs (a task row, a cause, the owner of deferred work), numbered for the
// stream, and numbered densely within a window so that a block can remember in a mask who has run it
// already.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "blocks.h"
#include "stream_format.h"
#include "stream_writer.h"

namespace hap_plugin {

struct Actor {
  uint32_t id;
  uint32_t window = 0;
  uint32_t slot = 0;  // dense number in `window`
};

struct OwnerRow {
  hap::stream::Owner kind = hap::stream::Owner::none;
  uint32_t task = 0;
  std::string name;
};

class Actors {
 public:
  explicit Actors(StreamWriter& stream);

  uint32_t owner(hap::stream::Owner kind, uint32_t task, const std::string& name);
  const OwnerRow& owner_row(uint32_t id) const { return owners_[id]; }

  // `in_guest`: the same actor while the nested guest runs has a slot of its own, so that no block of the
  // machine ever finds its bit set there and leaving the guest is noticed.
  Actor& find(uint32_t task, hap::stream::Cause cause, uint32_t owner, bool in_guest);

  // Gives the actor its number for this window.
  void place(Actor& actor, uint32_t window);

  // Slots given out in the current window.
  uint32_t slots_used() const { return slots_used_; }
  uint64_t slots_beyond_mask() const { return slots_beyond_mask_; }

 private:
  StreamWriter& stream_;
  std::vector<OwnerRow> owners_;
  std::map<std::tuple<hap::stream::Owner, uint32_t, std::string>, uint32_t> owner_ids_;
  std::unordered_map<uint64_t, Actor> actors_;
  uint32_t next_id_ = 1;
  uint32_t slots_used_ = 0;
  uint32_t slots_window_ = 0;
  uint64_t slots_beyond_mask_ = 0;
};

}  // namespace hap_plugin
