// One struct per chunk of the plugin's stream; their meaning is in emulator-plugin/stream_format.h.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "stream_format.h"

namespace hap::collect {

struct StreamImage {
  uint32_t id = 0;
  stream::ImageKind kind = stream::ImageKind::host_kernel;
  uint64_t device = 0;
  uint64_t inode = 0;
  std::string path;
};

struct StreamBlock {
  uint32_t id = 0;
  uint32_t image = 0;
  uint64_t address = 0;
  uint32_t size = 0;
  uint64_t hash = 0;
};

struct StreamTask {
  uint32_t id = 0;
  int32_t pid = 0;
  int32_t tgid = 0;
  int32_t ppid = 0;
  bool kernel_thread = false;
  bool guest_vcpu = false;       // stands for another domain's vcpu
  bool hypervisor_vcpu = false;  // or for the hypervisor's own
  uint64_t start_ns = 0;
  uint64_t cgroup_id = 0;
  std::string comm;
  std::string cgroup;
};

struct StreamActor {
  uint32_t id = 0;
  uint32_t task = 0;
  stream::Cause cause = stream::Cause::process;
  stream::Owner owner = stream::Owner::none;
  uint32_t owner_task = 0;
  std::string owner_name;
};

struct StreamWindowBegin {
  uint32_t id = 0;
  uint8_t phase = 0;
};

struct StreamHit {
  uint32_t actor = 0;
  uint32_t block = 0;
};

struct StreamHits {
  uint32_t window = 0;
  std::vector<StreamHit> hits;
};

struct StreamWindowEnd {
  uint32_t id = 0;
  uint64_t number = 0;
  uint32_t new_blocks = 0;
};

struct StreamSyscall {
  uint32_t task = 0;
  uint8_t phase = 0;
  int32_t number = 0;
  uint64_t count = 0;
};

struct StreamSyscalls {
  std::vector<StreamSyscall> counts;
};

struct StreamMark {
  uint64_t kind = 0;
  uint64_t argument = 0;
  uint64_t argument2 = 0;
};

struct StreamCounter {
  std::string name;
  uint64_t value = 0;
};

struct StreamEnd {};

using StreamRecord =
    std::variant<StreamImage, StreamBlock, StreamTask, StreamActor, StreamWindowBegin, StreamHits,
                 StreamWindowEnd, StreamSyscalls, StreamMark, StreamCounter, StreamEnd>;

}  // namespace hap::collect
