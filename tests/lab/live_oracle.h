// What the emulator saw of a live measurement from outside: functions entered, by window and context.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "collect/emulator/stream_reader.h"
#include "collect/traceable.h"
#include "hap/recording.h"
#include "hap/result.h"

namespace hap::testing {

// Where ran what: of one thread group.
enum class Where { task, interrupt };

class Oracle {
 public:
  // `comm`: the name that the measured process' first thread has. `functions`: those that can be traced; each
  // counts as entered when a block with its traced instruction ran.
  static Result<Oracle> read(const std::string& stream, const std::string& comm,
                             const std::vector<collect::TraceableFunction>& functions) {
    HAP_TRY(bytes, read_file(stream));
    std::map<uint64_t, uint64_t> by_site;  // traced instruction -> symbol
    for (const auto& function : functions) {
      by_site[function.call_site != 0 ? function.call_site : function.address] = function.address;
    }
    Oracle oracle;
    std::map<uint32_t, std::vector<uint64_t>> entered;  // block -> functions it enters
    std::map<uint32_t, collect::StreamActor> actors;
    std::map<uint32_t, collect::StreamTask> tasks;
    std::set<int32_t> processes;
    uint32_t kernel = 0;
    collect::StreamReader reader;
    std::span<const std::byte> rest = std::as_bytes(std::span(bytes));
    for (size_t consumed = 1; consumed != 0;) {
      HAP_TRY(record, reader.next(rest, consumed));
      if (!record) break;
      rest = rest.subspan(consumed);
      if (const auto* image = std::get_if<collect::StreamImage>(&*record)) {
        if (image->kind == stream::ImageKind::host_kernel) kernel = image->id;
      } else if (const auto* block = std::get_if<collect::StreamBlock>(&*record)) {
        if (block->image != kernel) continue;
        for (auto site = by_site.lower_bound(block->address);
             site != by_site.end() && site->first < block->address + block->size; ++site) {
          entered[block->id].push_back(site->second);
        }
      } else if (const auto* actor = std::get_if<collect::StreamActor>(&*record)) {
        actors[actor->id] = *actor;
      } else if (const auto* task = std::get_if<collect::StreamTask>(&*record)) {
        tasks[task->id] = *task;
        if (task->comm == comm) processes.insert(task->tgid);
      } else if (const auto* hits = std::get_if<collect::StreamHits>(&*record)) {
        for (const auto& hit : hits->hits) {
          const auto& by = actors[hit.actor];
          const auto found = entered.find(hit.block);
          if (!processes.contains(tasks[by.task].tgid) || found == entered.end()) continue;
          const Where where = by.cause == stream::Cause::process ? Where::task : Where::interrupt;
          oracle.entered_[{hits->window, where}].insert(found->second.begin(), found->second.end());
        }
      } else if (const auto* calls = std::get_if<collect::StreamSyscalls>(&*record)) {
        for (const auto& row : calls->counts) {
          if (processes.contains(tasks[row.task].tgid)) oracle.system_calls_[row.number] += row.count;
        }
      }
    }
    if (!reader.complete()) return Error("the plugin's stream is cut");
    return oracle;
  }

  // How often, between the outer marks.
  const std::map<int32_t, uint64_t>& system_calls() const { return system_calls_; }

  std::set<uint64_t> entered(const std::vector<uint32_t>& windows, Where where) const {
    std::set<uint64_t> all;
    for (const uint32_t window : windows) {
      const auto found = entered_.find({window, where});
      if (found != entered_.end()) all.insert(found->second.begin(), found->second.end());
    }
    return all;
  }

 private:
  std::map<std::pair<uint32_t, Where>, std::set<uint64_t>> entered_;
  std::map<int32_t, uint64_t> system_calls_;
};

// What a live recording says was entered, by address; modules at their run-time addresses.
inline Result<std::map<Where, std::set<uint64_t>>> entered_in(const Recording& recording) {
  std::map<uint32_t, Cause> causes;
  for (const auto& actor : recording.header().actors) causes[actor.id] = actor.cause;
  std::map<uint32_t, uint64_t> bases;
  for (const auto& image : recording.header().images) bases[image.id] = image.load_address;
  std::map<uint32_t, uint64_t> addresses;
  HAP_CHECK(recording.for_each_block([&](const Block& block) {
    addresses[block.id] = bases[block.image] + block.address;
    return true;
  }));
  std::map<Where, std::set<uint64_t>> found;
  HAP_CHECK(recording.for_each_hit([&](const Hit& hit) {
    found[causes[hit.actor] == Cause::process ? Where::task : Where::interrupt].insert(addresses[hit.block]);
    return true;
  }));
  return found;
}

}  // namespace hap::testing
