#include "collect/emulator/stream_follower.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace hap::collect {

StreamFollower::StreamFollower(std::string path, Filter filter)
    : path_(std::move(path)), filter_(std::move(filter)) {}

Result<std::vector<WindowSummary>> StreamFollower::poll() {
  std::vector<WindowSummary> finished;
  if (!file_.valid()) {
    file_ = UniqueFd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file_.valid() && errno == ENOENT) return finished;
    if (!file_.valid()) return Error::from_errno("cannot follow the emulator's stream", errno).at(path_);
  }
  constexpr size_t step = 1 << 18;
  while (true) {
    const size_t before = pending_.size();
    pending_.resize(before + step);
    const ssize_t count = ::read(file_.get(), pending_.data() + before, step);
    if (count < 0 && errno != EINTR)
      return Error::from_errno("cannot follow the emulator's stream", errno).at(path_);
    pending_.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) break;
    std::span<const std::byte> rest = pending_;
    while (true) {
      size_t consumed = 0;
      auto record = reader_.next(rest, consumed);
      if (!record) return Error(record.error()).at(path_);
      if (!record->has_value()) break;
      take(**record, finished);
      rest = rest.subspan(consumed);
    }
    pending_.erase(pending_.begin(), pending_.end() - static_cast<ptrdiff_t>(rest.size()));
  }
  return finished;
}

void StreamFollower::take(const StreamRecord& record, std::vector<WindowSummary>& finished) {
  if (const auto* image = std::get_if<StreamImage>(&record)) {
    images_[image->id] = *image;
  } else if (const auto* block = std::get_if<StreamBlock>(&record)) {
    blocks_[block->id] = *block;
  } else if (const auto* task = std::get_if<StreamTask>(&record)) {
    tasks_[task->id] = *task;
  } else if (const auto* actor = std::get_if<StreamActor>(&record)) {
    actors_[actor->id] = *actor;
  } else if (const auto* begin = std::get_if<StreamWindowBegin>(&record)) {
    if (begin->phase != phase_) seen_in_phase_.clear();
    phase_ = begin->phase;
    seen_in_window_.clear();
    window_ = {};
    window_.id = begin->id;
    window_.phase = static_cast<Phase>(begin->phase);
  } else if (const auto* hits = std::get_if<StreamHits>(&record)) {
    for (const StreamHit& hit : hits->hits) {
      if (!counts(hit) || !seen_in_window_.insert(hit.block).second) continue;
      ++window_.blocks;
      window_.addresses.push_back(blocks_.at(hit.block).address);
      if (seen_in_phase_.insert(hit.block).second) ++window_.new_blocks;
    }
  } else if (const auto* end = std::get_if<StreamWindowEnd>(&record)) {
    window_.number = end->number;
    window_.all_blocks = seen_in_phase_.size();
    std::sort(window_.addresses.begin(), window_.addresses.end());
    finished.push_back(window_);
  }
}

bool StreamFollower::counts(const StreamHit& hit) {
  if (!filter_) return true;
  const uint32_t image = blocks_.at(hit.block).image;
  const uint64_t key = static_cast<uint64_t>(hit.actor) << 32 | image;
  const auto [entry, added] = decided_.try_emplace(key, false);
  if (added) {
    const StreamActor& actor = actors_.at(hit.actor);
    const bool deferred = actor.owner == stream::Owner::work || actor.owner == stream::Owner::rcu;
    const auto owner = deferred ? tasks_.find(actor.owner_task) : tasks_.end();
    entry->second =
        filter_(owner != tasks_.end() ? owner->second : tasks_.at(actor.task), actor, images_.at(image));
  }
  return entry->second;
}

}  // namespace hap::collect
