#include "live/live_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/kernel_description.h"
#include "base/time_text.h"
#include "collect/emulator/kallsyms.h"
#include "collect/emulator/kernel_map.h"
#include "collect/traceable.h"
#include "live/processes.h"

namespace hap::live {
namespace {

using collect::ThreadClass;

// More rows say no more; each is a thread's name.
constexpr size_t most_threads = 4096;
// The last symbol of a module is followed by another module's, far away.
constexpr uint64_t largest_function = 1 << 20;
// arch/x86: __START_KERNEL_map + CONFIG_PHYSICAL_START, where every distribution links its kernel.
constexpr uint64_t linked_text = 0xffffffff81000000;

// ": a, b, c", by name; nothing when there are none.
std::string names_of(const std::vector<uint64_t>& addresses, const collect::Kallsyms& symbols) {
  const std::set<uint64_t> wanted(addresses.begin(), addresses.end());
  std::set<std::string> names;
  for (const auto& symbol : symbols.symbols()) {
    if (wanted.contains(symbol.address)) names.insert(std::string(symbol.name));
  }
  return names.empty() ? "" : fmt::format(": {}", fmt::join(names, ", "));
}

// In the form that KernelMap takes.
std::string as_json(const KernelDescription& kernel) {
  auto modules = nlohmann::json::array();
  for (const auto& module : kernel.modules) {
    modules.push_back({{"name", module.name},
                       {"address", module.address},
                       {"build_id", module.build_id},
                       {"sections", module.sections}});
  }
  return nlohmann::json{{"build_id", kernel.build_id}, {"modules", modules}}.dump();
}

// Run-time addresses as recordings have them.
class Places {
 public:
  Places(collect::KernelMap map, uint64_t slide) : map_(std::move(map)), slide_(slide) {}
  collect::KernelMap::Place operator()(uint64_t address) const {
    auto place = map_.place(address);
    if (map_.images()[place.image].kind == ImageKind::kernel) place.address -= slide_;
    return place;
  }
  const std::vector<Image>& images() const { return map_.images(); }

 private:
  collect::KernelMap map_;
  uint64_t slide_;
};

// Writes each image and block once.
class BlockRows {
 public:
  BlockRows(const Places& places, RecordingWriter& writer) : places_(places), writer_(writer) {}

  Result<uint32_t> block(uint64_t address) {
    if (const auto known = blocks_.find(address); known != blocks_.end()) return known->second;
    const auto place = places_(address);
    if (images_.insert(place.image).second) {
      Image image = places_.images()[place.image];
      image.id = static_cast<uint32_t>(place.image);
      HAP_CHECK(writer_.add(image));
    }
    const auto id = static_cast<uint32_t>(blocks_.size() + 1);
    blocks_.emplace(address, id);
    Block block;
    block.id = id;
    block.image = static_cast<uint32_t>(place.image);
    block.address = place.address;
    HAP_CHECK(writer_.add(block));
    return id;
  }

  // Lines "IMAGE ADDRESS SIZE NAME" of all blocks: what the kernel itself calls these functions.
  std::string names(const collect::Kallsyms& symbols) const {
    const auto& all = symbols.symbols();
    std::string lines;
    size_t at = 0;
    for (const auto& [address, id] : blocks_) {
      while (at < all.size() && all[at].address < address) ++at;
      if (at == all.size() || all[at].address != address) continue;
      size_t next = at;
      while (next < all.size() && all[next].address == address) ++next;
      const uint64_t size = next < all.size() ? all[next].address - address : 1;
      const auto place = places_(address);
      lines += fmt::format("{} {:x} {:x} {}\n", place.image, place.address, std::min(size, largest_function),
                           all[at].name);
    }
    return lines;
  }

 private:
  const Places& places_;
  RecordingWriter& writer_;
  std::set<size_t> images_;
  std::map<uint64_t, uint32_t> blocks_;
};

}  // namespace

void LiveRows::note_thread(pid_t tid, ThreadClass thread_class) {
  if (threads_.size() >= most_threads || !looked_up_.emplace(tid, thread_class).second) return;
  auto task = describe_thread(tid);
  if (!task) return;
  const std::pair key{task->pid, task->start_ns};
  threads_.insert_or_assign(key, SeenThread{std::move(*task), thread_class});
}

void LiveRows::note_threads(const std::vector<std::pair<pid_t, ThreadClass>>& threads) {
  for (const auto& [tid, thread_class] : threads) note_thread(tid, thread_class);
}

void LiveRows::note_threads(const collect::LiveScope& scope) {
  for (const auto& thread : scope.threads) note_thread(thread.tid, thread.thread_class);
}

Status LiveRows::write_identity(const Findings& findings, RecordingWriter& writer) const {
  const KernelDescription kernel = describe_kernel();
  std::map<std::string, std::string> meta = findings.meta;
  meta["created"] = utc_timestamp();
  meta["collector"] = findings.collector;
  meta["granularity"] = "function";
  meta["kernel_release"] = kernel.release;
  meta["kernel_build_id"] = kernel.build_id;
  const auto boot = read_file("/proc/sys/kernel/random/boot_id", 128);
  if (boot) meta["boot"] = boot->substr(0, boot->find('\n'));
  meta["required_roles"] = findings.scope.has_guests() ? "vcpu" : "application";
  for (const auto& [key, value] : meta) HAP_CHECK(writer.set_meta(key, value));

  std::string vulnerabilities;
  for (const auto& [name, state] : kernel.vulnerabilities) {
    vulnerabilities += (vulnerabilities.empty() ? "" : ", ") + name + ": " + state;
  }
  const std::map<std::string, std::string> conditions = {
      {"machine", "this host, live"},
      {"processors", std::to_string(::sysconf(_SC_NPROCESSORS_ONLN))},
      {"memory_mib", std::to_string(::sysconf(_SC_PHYS_PAGES) / 1024 * ::sysconf(_SC_PAGESIZE) / 1024)},
      {"cpu_flags", kernel.cpu_flags},
      {"vulnerabilities", vulnerabilities},
      {"clocksource", kernel.clocksource},
      {"cmdline", kernel.cmdline}};
  for (const auto& [key, value] : conditions) {
    if (!value.empty()) HAP_CHECK(writer.set_condition(key, value));
  }
  return {};
}

Status LiveRows::write_losses(const Findings& findings, const collect::Kallsyms& symbols,
                              RecordingWriter& writer) const {
  const collect::LiveStats& stats = findings.stats;
  uint64_t armed_blind = 0;
  uint64_t disarmed = 0;
  for (const auto& sight : findings.sights) {
    armed_blind += sight.blind_ns;
    disarmed += sight.disarmed;
  }
  uint64_t between = 0;
  for (size_t i = 1; i < findings.windows.size(); ++i) {
    between += static_cast<uint64_t>(findings.windows[i].start_ns - findings.windows[i - 1].end_ns);
  }
  HAP_CHECK(
      writer.add(Loss{"events_lost", stats.events_lost, "trace entries overwritten before they were read"}));
  HAP_CHECK(writer.add(Loss{"missed_probes", stats.missed_task, "in task context"}));
  HAP_CHECK(writer.add(Loss{"missed_probes_in_interrupts", stats.missed_interrupt, "in interrupt contexts"}));
  HAP_CHECK(writer.add(Loss{"blind_ns", armed_blind, "arming, within windows, all processors together"}));
  HAP_CHECK(writer.add(Loss{"blind_ns", between, "between windows"}));
  HAP_CHECK(writer.add(Loss{"disarmed_functions", disarmed,
                            "once seen in a HAP context, summed over the windows: further contexts of these "
                            "functions in that window are not known"}));
  HAP_CHECK(writer.add(Loss{"censored_functions", stats.censored.size(),
                            "taken off after entries by others only; what tasks ran of them later in those "
                            "windows is not known" +
                                names_of(stats.censored, symbols)}));
  if (stats.truncated) HAP_CHECK(writer.add(Loss{"truncated", 1, "the collector stopped early"}));
  for (const Loss& loss : stats.more) HAP_CHECK(writer.add(loss));
  return {};
}

Status LiveRows::write(const Findings& findings, RecordingWriter& writer) const {
  HAP_CHECK(write_identity(findings, writer));
  HAP_TRY(text, read_file("/proc/kallsyms"));
  HAP_TRY(symbols, collect::Kallsyms::parse(text));
  HAP_TRY(map, collect::KernelMap::build(as_json(describe_kernel()), text));
  const Places places(std::move(map), symbols.address("_text").value_or(linked_text) - linked_text);

  for (const ScopeRule& rule : findings.scope.rules()) HAP_CHECK(writer.add(rule));
  // A class is represented by the first thread seen of it; the others are rows without hits.
  std::map<ThreadClass, uint32_t> representatives;
  uint32_t task_id = 0;
  for (const auto& [key, thread] : threads_) {
    Task task = thread.task;
    task.id = ++task_id;
    HAP_CHECK(writer.add(task));
    HAP_CHECK(writer.add(ScopeRule{thread.task.kernel_thread ? "kthread" : "tid",
                                   thread.task.kernel_thread ? task.comm : std::to_string(task.pid),
                                   role_of(thread.thread_class)}));
    representatives.try_emplace(thread.thread_class, task_id);
  }
  for (const Window& window : findings.windows) HAP_CHECK(writer.add(window));

  const auto representative = [&](ThreadClass thread_class) -> Result<uint32_t> {
    if (const auto known = representatives.find(thread_class); known != representatives.end()) {
      return known->second;
    }
    // All its threads had ended before they could be looked up.
    Task task;
    task.id = ++task_id;
    task.comm = "[" + role_of(thread_class) + "]";
    task.pid = task.tgid = -static_cast<int32_t>(thread_class);
    task.kernel_thread = thread_class == ThreadClass::kernel;
    HAP_CHECK(writer.add(task));
    HAP_CHECK(writer.add(ScopeRule{"tid", std::to_string(task.pid), role_of(thread_class)}));
    representatives[thread_class] = task.id;
    return task.id;
  };
  BlockRows blocks(places, writer);
  std::map<std::pair<uint32_t, Cause>, uint32_t> actors;
  for (const auto& [key, windows] : findings.book.hits()) {
    HAP_TRY(task, representative(key.thread_class));
    auto [actor, added] = actors.try_emplace({task, key.cause}, static_cast<uint32_t>(actors.size() + 1));
    if (added) {
      Actor row;
      row.id = actor->second;
      row.task = task;
      row.cause = key.cause;
      HAP_CHECK(writer.add(row));
    }
    HAP_TRY(block, blocks.block(key.address));
    HAP_CHECK(writer.add(Hit{block, actor->second, windows}));
  }
  for (const auto& [key, count] : findings.book.calls()) {
    HAP_TRY(task, representative(key.first));
    HAP_CHECK(writer.add(SyscallCount{task, Phase::serve, key.second, count}));
  }
  HAP_CHECK(writer.set_meta("symbols", blocks.names(symbols)));
  for (const auto& function : findings.stats.unobservable) {
    HAP_CHECK(writer.add_unobservable(places(function.address).address));
  }
  return write_losses(findings, symbols, writer);
}

}  // namespace hap::live
