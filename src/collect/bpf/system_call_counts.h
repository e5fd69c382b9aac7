// Reads the counts of system calls that the kernel-side programs keep by processor (struct hap_processor),
// and hands out what is new.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "collect/bpf/mapped_rows.h"
#include "collect/live_collector.h"
#include "live_program.h"

namespace hap::collect {

class SystemCallCounts {
 public:
  // Calls `visit` for whatever was called since the last take(). `processors`: rows of struct hap_processor.
  void take(const MappedRows& processors,
            const std::function<void(ThreadClass, int32_t number, uint64_t count)>& visit) {
    for (size_t which = 0; which < reported_.size(); ++which) {
      for (size_t number = 0; number < reported_[which].size(); ++number) {
        uint64_t count = 0;
        for (size_t cpu = 0; cpu < processors.rows(); ++cpu) {
          const auto* processor = reinterpret_cast<const hap_processor*>(processors.row(cpu));
          count += processor->system_calls[which][number];
        }
        uint64_t& reported = reported_[which][number];
        if (count <= reported) continue;
        visit(static_cast<ThreadClass>(which + 1), static_cast<int32_t>(number), count - reported);
        reported = count;
      }
    }
  }

 private:
  std::array<std::array<uint64_t, HAP_SYSTEM_CALLS>, HAP_CLASSES> reported_{};
};

}  // namespace hap::collect
