#include "collect/emulator/stream_reader.h"

#include <cstring>

#include "base/checked_reader.h"

namespace hap::collect {
namespace {

constexpr size_t header_size = 16;
constexpr size_t chunk_header_size = 8;
// The largest chunk is one of hits, which the plugin writes when it has 65,536 of them.
constexpr uint32_t largest_chunk = 1u << 24;

Error corrupt(const std::string& what) {
  return Error("the emulator's stream is damaged: " + what, ErrorKind::corrupt);
}

std::string read_string(CheckedReader& reader) {
  const auto length = reader.read<uint16_t>();
  return std::string(reader.read_bytes(length));
}

// Reads an enumeration stored as a byte; fails the reader's caller through `good`.
template <typename E>
E read_enum(CheckedReader& reader, E first, E last, bool& good) {
  const auto value = reader.read<uint8_t>();
  good = good && value >= static_cast<uint8_t>(first) && value <= static_cast<uint8_t>(last);
  return static_cast<E>(value);
}

}  // namespace

Result<std::optional<StreamRecord>> StreamReader::next(std::span<const std::byte> bytes, size_t& consumed) {
  consumed = 0;
  size_t start = 0;
  if (!header_read_) {
    if (bytes.size() < header_size) return std::optional<StreamRecord>();
    if (std::memcmp(bytes.data(), stream::magic, sizeof(stream::magic)) != 0) {
      return corrupt("it does not begin like one");
    }
    CheckedReader reader(bytes.subspan(sizeof(stream::magic)));
    if (const auto version = reader.read<uint32_t>(); version != stream::version) {
      return Error("the emulator's plugin writes version " + std::to_string(version) +
                       " of its stream, not " + std::to_string(stream::version),
                   ErrorKind::unsupported)
          .hint("use the plugin that was built with this hap");
    }
    start = header_size;
  }
  CheckedReader reader(bytes.subspan(start));
  const auto type = reader.read<uint32_t>();
  const auto length = reader.read<uint32_t>();
  if (reader.ok() && length > largest_chunk) return corrupt("a chunk is too long");
  if (!reader.ok() || reader.remaining() < length) return std::optional<StreamRecord>();
  HAP_TRY(record, decode(type, bytes.subspan(start + chunk_header_size, length)));
  HAP_CHECK(check(record));
  header_read_ = true;
  complete_ = std::holds_alternative<StreamEnd>(record);
  consumed = start + chunk_header_size + length;
  return std::optional<StreamRecord>(std::move(record));
}

Result<StreamRecord> StreamReader::decode(uint32_t type, std::span<const std::byte> payload) {
  CheckedReader reader(payload);
  StreamRecord record;
  bool good = true;
  switch (static_cast<stream::Chunk>(type)) {
    case stream::Chunk::image: {
      StreamImage image;
      image.id = reader.read<uint32_t>();
      image.kind = read_enum(reader, stream::ImageKind::host_kernel, stream::ImageKind::hypervisor, good);
      image.device = reader.read<uint64_t>();
      image.inode = reader.read<uint64_t>();
      image.path = read_string(reader);
      record = std::move(image);
      break;
    }
    case stream::Chunk::block: {
      StreamBlock block;
      block.id = reader.read<uint32_t>();
      block.image = reader.read<uint32_t>();
      block.address = reader.read<uint64_t>();
      block.size = reader.read<uint32_t>();
      block.hash = reader.read<uint64_t>();
      record = block;
      break;
    }
    case stream::Chunk::task: {
      StreamTask task;
      task.id = reader.read<uint32_t>();
      task.pid = reader.read<int32_t>();
      task.tgid = reader.read<int32_t>();
      task.ppid = reader.read<int32_t>();
      const auto flags = reader.read<uint32_t>();
      task.kernel_thread = (flags & stream::task_is_kernel_thread) != 0;
      task.guest_vcpu = (flags & stream::task_is_guest_vcpu) != 0;
      task.hypervisor_vcpu = (flags & stream::task_is_hypervisor_vcpu) != 0;
      task.start_ns = reader.read<uint64_t>();
      task.cgroup_id = reader.read<uint64_t>();
      task.comm = read_string(reader);
      task.cgroup = read_string(reader);
      record = std::move(task);
      break;
    }
    case stream::Chunk::actor: {
      StreamActor actor;
      actor.id = reader.read<uint32_t>();
      actor.task = reader.read<uint32_t>();
      actor.cause = read_enum(reader, stream::Cause::process, stream::Cause::nmi, good);
      actor.owner = read_enum(reader, stream::Owner::none, stream::Owner::emulation, good);
      actor.owner_task = reader.read<uint32_t>();
      actor.owner_name = read_string(reader);
      record = std::move(actor);
      break;
    }
    case stream::Chunk::window_begin: {
      StreamWindowBegin window;
      window.id = reader.read<uint32_t>();
      window.phase = reader.read<uint8_t>();
      record = window;
      break;
    }
    case stream::Chunk::hits: {
      StreamHits hits;
      hits.window = reader.read<uint32_t>();
      const auto count = reader.read<uint32_t>();
      if (reader.remaining() / sizeof(StreamHit) < count) return corrupt("a chunk of hits is cut");
      hits.hits.resize(count);
      const std::string_view bytes = reader.read_bytes(size_t{count} * sizeof(StreamHit));
      if (!bytes.empty()) std::memcpy(hits.hits.data(), bytes.data(), bytes.size());
      record = std::move(hits);
      break;
    }
    case stream::Chunk::window_end: {
      StreamWindowEnd window;
      window.id = reader.read<uint32_t>();
      window.number = reader.read<uint64_t>();
      window.new_blocks = reader.read<uint32_t>();
      record = window;
      break;
    }
    case stream::Chunk::syscalls: {
      StreamSyscalls syscalls;
      const auto count = reader.read<uint32_t>();
      constexpr size_t row_size = 17;
      if (reader.remaining() / row_size < count) return corrupt("a chunk of system calls is cut");
      syscalls.counts.resize(count);
      for (StreamSyscall& row : syscalls.counts) {
        row.task = reader.read<uint32_t>();
        row.phase = reader.read<uint8_t>();
        row.number = reader.read<int32_t>();
        row.count = reader.read<uint64_t>();
      }
      record = std::move(syscalls);
      break;
    }
    case stream::Chunk::mark: {
      StreamMark mark;
      mark.kind = reader.read<uint64_t>();
      mark.argument = reader.read<uint64_t>();
      mark.argument2 = reader.read<uint64_t>();
      record = mark;
      break;
    }
    case stream::Chunk::counter: {
      StreamCounter counter;
      counter.name = read_string(reader);
      counter.value = reader.read<uint64_t>();
      record = std::move(counter);
      break;
    }
    case stream::Chunk::end:
      record = StreamEnd{};
      break;
    default:
      return corrupt("unknown chunk " + std::to_string(type));
  }
  if (!reader.ok() || !reader.at_end() || !good) return corrupt("bad chunk of type " + std::to_string(type));
  return record;
}

Status StreamReader::check(const StreamRecord& record) {
  const auto define = [](std::unordered_set<uint32_t>& known, uint32_t id, const char* what) -> Status {
    if (id == 0 || !known.insert(id).second) return corrupt(std::string("bad number of ") + what);
    return {};
  };
  const auto phase_is_known = [](uint8_t phase) { return phase >= 1 && phase <= 3; };

  if (const auto* image = std::get_if<StreamImage>(&record)) return define(images_, image->id, "an image");
  if (const auto* task = std::get_if<StreamTask>(&record)) return define(tasks_, task->id, "a task");
  if (const auto* block = std::get_if<StreamBlock>(&record)) {
    if (images_.count(block->image) == 0) return corrupt("a block of no image");
    return define(blocks_, block->id, "a block");
  }
  if (const auto* actor = std::get_if<StreamActor>(&record)) {
    if (tasks_.count(actor->task) == 0 || (actor->owner_task != 0 && tasks_.count(actor->owner_task) == 0)) {
      return corrupt("an actor of no task");
    }
    return define(actors_, actor->id, "an actor");
  }
  if (const auto* window = std::get_if<StreamWindowBegin>(&record)) {
    if (open_window_ != 0 || window->id <= last_window_ || !phase_is_known(window->phase)) {
      return corrupt("a window begins where it cannot");
    }
    open_window_ = last_window_ = window->id;
  } else if (const auto* end = std::get_if<StreamWindowEnd>(&record)) {
    if (open_window_ == 0 || end->id != open_window_) return corrupt("a window ends that is not open");
    open_window_ = 0;
  } else if (const auto* hits = std::get_if<StreamHits>(&record)) {
    if (open_window_ == 0 || hits->window != open_window_) return corrupt("hits outside their window");
    for (const StreamHit& hit : hits->hits) {
      if (actors_.count(hit.actor) == 0 || blocks_.count(hit.block) == 0)
        return corrupt("a hit of nothing known");
    }
  } else if (const auto* syscalls = std::get_if<StreamSyscalls>(&record)) {
    for (const StreamSyscall& row : syscalls->counts) {
      if (tasks_.count(row.task) == 0 || !phase_is_known(row.phase))
        return corrupt("system calls of no task");
    }
  }
  return {};
}

}  // namespace hap::collect
