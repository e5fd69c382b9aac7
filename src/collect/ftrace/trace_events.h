// The events that the ftrace collector asks the kernel for, with the places of what it needs of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "collect/ftrace/event_format.h"
#include "collect/ftrace/ring_page.h"
#include "hap/result.h"

namespace hap::collect {

struct TraceEvents {
  PageFormat page;
  uint16_t function = 0, fork = 0, system_call = 0;  // numbers of the events
  EventField type, flags, pid;                       // of every event
  EventField ip, parent_ip;
  EventField fork_parent, fork_child;
  EventField number;
  size_t function_size = 0, fork_size = 0, call_size = 0;  // least payload that holds the fields

  // From the descriptions below `tracefs`. Errors: unreadable, `corrupt`, a field that is missing or has
  // another size.
  static Result<TraceEvents> read(const std::string& tracefs);
};

// Where a field ends in the payload.
inline size_t end_of(const EventField& field) {
  return size_t{field.offset} + field.size;
}

// The field's value. The payload must reach to end_of(field), and T must be of the field's size.
template <typename T>
T load_field(std::span<const std::byte> payload, const EventField& field) {
  T value{};
  std::memcpy(&value, payload.data() + field.offset, sizeof value);
  return value;
}

}  // namespace hap::collect
