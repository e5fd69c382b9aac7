// One page of the kernel's trace ring buffer, as read from per_cpu/cpuN/trace_pipe_raw (layout:
// Documentation of include/linux/ring_buffer.h and events/header_page in tracefs).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "collect/ftrace/event_format.h"
#include "hap/result.h"

namespace hap::collect {

// Gives the events of a page one by one, checking every length against the page.
//
//   RingPage page(format, bytes);
//   while (auto event = page.next()) use(*event);
//   if (page.damaged()) ...;  lost += page.lost();
class RingPage {
 public:
  RingPage(const PageFormat& format, std::span<const std::byte> bytes);

  // The payload of the next event: from common_type on. Valid as long as the bytes are.
  std::optional<std::span<const std::byte>> next();

  // A length pointed outside the page; there are no more events then.
  bool damaged() const { return damaged_; }
  // Events were overwritten before this page. `lost` is their number, 0 when the kernel did not store it.
  bool after_loss() const { return after_loss_; }
  uint64_t lost() const { return lost_; }

 private:
  uint32_t word(size_t at) const;

  std::span<const std::byte> data_;
  size_t at_ = 0;
  bool damaged_ = false;
  bool after_loss_ = false;
  uint64_t lost_ = 0;
};

}  // namespace hap::collect
