#include "collect/emulator/stream_import.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/mapped_file.h"
#include "collect/emulator/stream_reader.h"

namespace hap::collect {
namespace {

struct Triple {
  uint32_t block;
  uint32_t actor;
  uint32_t window;
  auto operator<=>(const Triple&) const = default;
};

struct Contents {
  std::vector<StreamImage> images;
  std::vector<StreamBlock> blocks;
  std::vector<StreamTask> tasks;
  std::vector<StreamActor> actors;
  std::vector<StreamSyscall> syscalls;
  std::vector<Triple> hits;
  std::vector<StreamMark> marks;
  StreamStats stats;
};

void take(Contents& contents, StreamRecord record) {
  struct Visitor {
    Contents& contents;
    void operator()(StreamImage& image) { contents.images.push_back(std::move(image)); }
    void operator()(StreamBlock& block) { contents.blocks.push_back(block); }
    void operator()(StreamTask& task) { contents.tasks.push_back(std::move(task)); }
    void operator()(StreamActor& actor) { contents.actors.push_back(std::move(actor)); }
    void operator()(StreamWindowBegin& begin) {
      contents.stats.windows.push_back({begin.id, static_cast<Phase>(begin.phase), 0, 0});
    }
    void operator()(StreamHits& hits) {
      for (const StreamHit& hit : hits.hits) contents.hits.push_back({hit.block, hit.actor, hits.window});
    }
    void operator()(StreamWindowEnd& end) {
      contents.stats.windows.back().number = end.number;
      contents.stats.windows.back().new_blocks = end.new_blocks;
    }
    void operator()(StreamSyscalls& syscalls) {
      contents.syscalls.insert(contents.syscalls.end(), syscalls.counts.begin(), syscalls.counts.end());
    }
    void operator()(StreamMark& mark) { contents.marks.push_back(mark); }
    void operator()(StreamCounter& counter) { contents.stats.counters[counter.name] = counter.value; }
    void operator()(StreamEnd&) {}
  };
  std::visit(Visitor{contents}, record);
}

Error untrustworthy(const std::string& what) {
  return Error("this run cannot be trusted: " + what)
      .hint("rebuild the lab with `hap lab clean` and `hap lab build`, so that hooks and kernel match");
}

Status check_marks(const std::vector<StreamMark>& marks) {
  bool recording = false;
  uint64_t phase = 0;
  bool any_phase = false;
  for (const StreamMark& mark : marks) {
    bool good = true;
    switch (static_cast<stream::Mark>(mark.kind)) {
      case stream::Mark::begin:
        good = !recording;
        recording = true;
        break;
      case stream::Mark::end:
        good = recording && phase == 0;
        recording = false;
        break;
      case stream::Mark::phase_begin:
        good = recording && phase == 0 && mark.argument >= 1 && mark.argument <= 3;
        phase = mark.argument;
        any_phase = true;
        break;
      case stream::Mark::phase_end:
        good = phase != 0 && phase == mark.argument;
        phase = 0;
        break;
      case stream::Mark::window:
        good = phase != 0;
        break;
      case stream::Mark::user:
        break;
    }
    if (!good) return untrustworthy("its marks do not pair");
  }
  if (recording || phase != 0) return untrustworthy("its marks do not pair");
  if (!any_phase) return untrustworthy("no phase was ever marked");
  return {};
}

ImageKind kind_of(const StreamImage& image) {
  if (image.kind == stream::ImageKind::guest_kernel) return ImageKind::kernel;
  if (image.kind == stream::ImageKind::hypervisor) return ImageKind::hypervisor;
  if (image.kind == stream::ImageKind::user_file) return ImageKind::user;
  if (image.path == "[vdso]") return ImageKind::vdso;
  if (image.path == "[anon]" || image.path == "[anon-shared]") return ImageKind::jit;
  if (image.path.substr(0, 7) == "[memfd:") return ImageKind::memfd;
  return ImageKind::other;
}

Space space_of(const StreamImage& image) {
  const bool guest =
      image.kind == stream::ImageKind::guest_kernel || image.kind == stream::ImageKind::guest_user;
  if (image.kind == stream::ImageKind::hypervisor) return Space::hypervisor;
  return guest ? Space::guest : Space::host;
}

Space space_of(const StreamTask& task) {
  if (task.hypervisor_vcpu) return Space::hypervisor;
  return task.guest_vcpu ? Space::guest : Space::host;
}

Cause cause_of(stream::Cause cause) {
  switch (cause) {
    case stream::Cause::process:
      return Cause::process;
    case stream::Cause::softirq_bh:
      return Cause::softirq_bh;
    case stream::Cause::softirq:
      return Cause::softirq;
    case stream::Cause::hardirq:
      return Cause::hardirq;
    case stream::Cause::nmi:
      return Cause::nmi;
  }
  return Cause::process;
}

OwnerKind owner_of(stream::Owner owner) {
  switch (owner) {
    case stream::Owner::none:
      return OwnerKind::none;
    case stream::Owner::work:
      return OwnerKind::work;
    case stream::Owner::rcu:
      return OwnerKind::rcu;
    case stream::Owner::socket:
      return OwnerKind::socket;
    case stream::Owner::netdev:
      return OwnerKind::netdev;
    case stream::Owner::emulation:
      return OwnerKind::emulation;
  }
  return OwnerKind::none;
}

// Gives every image of the stream and of the kernel map its row, when the first block of it comes.
class ImageRows {
 public:
  ImageRows(const std::vector<StreamImage>& images, const ImportOptions& options, RecordingWriter& writer)
      : options_(options), writer_(writer), kernel_rows_(options.kernel.images().size(), 0) {
    for (const StreamImage& image : images) images_[image.id] = {&image, 0};
  }

  Result<Block> place(const StreamBlock& block) {
    auto& [image, row] = images_.at(block.image);
    Block placed{block.id, 0, block.address, block.size, block.hash};
    if (image->kind == stream::ImageKind::host_kernel) {
      const KernelMap::Place place = options_.kernel.place(block.address);
      placed.address = place.address;
      uint32_t& kernel_row = kernel_rows_[place.image];
      if (kernel_row == 0) {
        Image added = options_.kernel.images()[place.image];
        HAP_CHECK(add(added, kernel_row));
      }
      placed.image = kernel_row;
      return placed;
    }
    if (image->kind == stream::ImageKind::hypervisor && !in_hypervisor_text(block.address)) {
      // Entry stubs that it makes for each processor.
      if (hypervisor_made_ == 0) {
        Image added;
        added.kind = ImageKind::trampoline;
        added.space = Space::hypervisor;
        added.path = "[xen-stubs]";
        HAP_CHECK(add(added, hypervisor_made_));
      }
      placed.image = hypervisor_made_;
      return placed;
    }
    if (row == 0) {
      Image added;
      added.kind = kind_of(*image);
      added.space = space_of(*image);
      added.path = image->path;
      added.inode = image->inode;
      added.device = image->device;
      if (added.kind <= ImageKind::hypervisor && options_.build_id) added.build_id = options_.build_id(added);
      HAP_CHECK(add(added, row));
    }
    placed.image = row;
    return placed;
  }

 private:
  Status add(Image& image, uint32_t& row) {
    image.id = row = next_++;
    return writer_.add(image);
  }

  bool in_hypervisor_text(uint64_t address) const {
    return options_.hypervisor.begin <= address && address < options_.hypervisor.end;
  }

  const ImportOptions& options_;
  RecordingWriter& writer_;
  std::map<uint32_t, std::pair<const StreamImage*, uint32_t>> images_;
  std::vector<uint32_t> kernel_rows_;
  uint32_t hypervisor_made_ = 0;
  uint32_t next_ = 1;
};

Status add_tasks(const Contents& contents, RecordingWriter& writer) {
  for (const StreamTask& task : contents.tasks) {
    HAP_CHECK(writer.add(Task{task.id, space_of(task), task.pid, task.tgid, task.ppid, task.start_ns,
                              task.comm, task.cgroup, task.cgroup_id, task.kernel_thread}));
  }
  for (const StreamActor& actor : contents.actors) {
    HAP_CHECK(writer.add(Actor{actor.id, actor.task, cause_of(actor.cause), owner_of(actor.owner),
                               actor.owner_task, actor.owner_name}));
  }
  return {};
}

// System calls are counted from phase begin to phase end; a row of the recording is one task, phase and
// number.
Status add_syscalls(Contents& contents, RecordingWriter& writer) {
  auto& rows = contents.syscalls;
  const auto key = [](const StreamSyscall& row) { return std::tuple(row.task, row.phase, row.number); };
  std::sort(rows.begin(), rows.end(),
            [&](const StreamSyscall& a, const StreamSyscall& b) { return key(a) < key(b); });
  for (size_t i = 0; i < rows.size();) {
    SyscallCount row{rows[i].task, static_cast<Phase>(rows[i].phase), rows[i].number, 0};
    for (const auto group = key(rows[i]); i < rows.size() && key(rows[i]) == group; ++i)
      row.count += rows[i].count;
    HAP_CHECK(writer.add(row));
  }
  return {};
}

Status add_hits(Contents& contents, RecordingWriter& writer) {
  auto& hits = contents.hits;
  std::sort(hits.begin(), hits.end());
  for (size_t i = 0; i < hits.size();) {
    Hit hit{hits[i].block, hits[i].actor, {}};
    for (; i < hits.size() && hits[i].block == hit.block && hits[i].actor == hit.actor; ++i) {
      if (hit.windows.empty() || hit.windows.back() != hits[i].window) hit.windows.push_back(hits[i].window);
    }
    HAP_CHECK(writer.add(hit));
    ++contents.stats.hits;
  }
  return {};
}

Status add_losses(Contents& contents, RecordingWriter& writer) {
  StreamStats& stats = contents.stats;
  const auto add = [&](const char* kind, uint64_t count, const char* detail) {
    stats.losses.push_back({kind, count, detail});
  };
  add("events_lost", stats.counter("blocks_dropped"), "blocks the plugin had no room for");
  add("unresolved_mapping", stats.counter("mappings_unresolved"),
      "user code translated whose file is not known");
  add("memory_read_failed", stats.counter("memory_reads_failed"),
      "reads of the machine's memory by the plugin");
  add("unowned_work", stats.counter("work_items_dropped"), "deferred work whose owner was forgotten");
  for (const Loss& loss : stats.losses) HAP_CHECK(writer.add(loss));
  return {};
}

Result<Contents> read_contents(const std::string& path) {
  HAP_TRY(file, MappedFile::open(path));
  Contents contents;
  StreamReader reader;
  std::span<const std::byte> rest = file.bytes();
  while (!rest.empty()) {
    size_t consumed = 0;
    auto record = reader.next(rest, consumed);
    if (!record) return Error(record.error()).at(path);
    if (!record->has_value()) break;
    take(contents, std::move(**record));
    rest = rest.subspan(consumed);
  }
  if (!rest.empty() || !reader.complete()) {
    return Error("the emulator's stream was cut short", ErrorKind::corrupt)
        .at(path)
        .hint("see that the disk is not full and that QEMU was not killed, then measure again");
  }
  return contents;
}

}  // namespace

uint64_t StreamStats::counter(const std::string& name) const {
  const auto found = counters.find(name);
  return found == counters.end() ? 0 : found->second;
}

Status check_trustworthy(const StreamStats& stats) {
  if (stats.counter("registers_bound") == 0)
    return untrustworthy("QEMU did not offer the processor's registers");
  if (stats.counter("switches") == 0) return untrustworthy("no context switch was ever seen");
  // Code would be credited to the wrong task.
  if (stats.counter("switch_mismatches") != 0 || stats.counter("unknown_processors") != 0) {
    return untrustworthy("context switches came from tasks that were not known to run");
  }
  if (stats.counter("preempt_stores") == 0) {
    return untrustworthy("the kernel's count of interrupt contexts was never seen to change");
  }
  if (stats.counters.count("xen_switches") != 0) {
    if (stats.counter("xen_switches") == 0 || stats.counter("xen_interrupts") == 0) {
      return untrustworthy("the hypervisor was never seen to switch domains or to be interrupted");
    }
    if (stats.counter("xen_domains_unknown") != 0) {
      return untrustworthy("the hypervisor switched to a domain that could not be identified");
    }
  }
  if (stats.counter("recordings_begun") == 0) return untrustworthy("recording never began");
  if (stats.counter("recording") != 0 ||
      stats.counter("recordings_ended") != stats.counter("recordings_begun")) {
    return untrustworthy("recording began and did not end");
  }
  return {};
}

Result<StreamStats> import_stream(const std::string& path, const ImportOptions& options,
                                  RecordingWriter& writer) {
  HAP_TRY(contents, read_contents(path));
  HAP_CHECK(check_trustworthy(contents.stats));
  HAP_CHECK(check_marks(contents.marks));

  ImageRows images(contents.images, options, writer);
  for (const StreamBlock& block : contents.blocks) {
    HAP_TRY(placed, images.place(block));
    HAP_CHECK(writer.add(placed));
  }
  HAP_CHECK(add_tasks(contents, writer));
  for (const StreamWindow& row : contents.stats.windows) {
    Window window;
    window.id = row.id;
    window.phase = row.phase;
    if (options.complete_window) options.complete_window(window, row.number);
    HAP_CHECK(writer.add(window));
  }
  HAP_CHECK(add_hits(contents, writer));
  HAP_CHECK(add_syscalls(contents, writer));
  HAP_CHECK(add_losses(contents, writer));
  HAP_CHECK(writer.set_meta("context_switches", std::to_string(contents.stats.counter("switches"))));
  HAP_CHECK(writer.set_meta("marks_paired", "1"));
  return std::move(contents.stats);
}

}  // namespace hap::collect
