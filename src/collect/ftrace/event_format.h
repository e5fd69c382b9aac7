// The layout of a trace event, as its `format` file in tracefs describes it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "hap/result.h"

namespace hap::collect {

struct EventField {
  uint32_t offset = 0;
  uint32_t size = 0;
};

struct EventFormat {
  uint16_t id = 0;
  std::map<std::string, EventField, std::less<>> fields;  // by name: "ip", "common_pid"

  // Errors: `unsupported`: this kernel's event has no such field, or one of another size.
  Result<EventField> field(std::string_view name, uint32_t size) const;
};

// Errors: `corrupt`: not a format file.
Result<EventFormat> parse_event_format(std::string_view text);

// Where events/header_page puts the payload of a ring-buffer page.
struct PageFormat {
  uint32_t commit_offset = 0;  // of the field with the number of payload bytes in use
  uint32_t data_offset = 0;
  uint32_t data_size = 0;
};
Result<PageFormat> parse_page_format(std::string_view text);

}  // namespace hap::collect
