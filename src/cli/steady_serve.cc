#include "cli/steady_serve.h"

#include <fmt/format.h>

#include <cmath>

#include "sandbox/sandbox.h"

namespace hap::cli {
namespace {

using collect::StreamActor;
using collect::StreamImage;
using collect::StreamTask;

bool counts_as_hap(const StreamTask& task, const StreamActor& actor, const StreamImage& image) {
  const bool code =
      image.kind == stream::ImageKind::host_kernel || image.kind == stream::ImageKind::hypervisor;
  const bool own = task.guest_vcpu || task.cgroup.starts_with(sandbox::scope_cgroup);
  return code && own && actor.cause == stream::Cause::process;
}

// Farther behind a symbol than any function is long, the address is not of this symbol table (the
// hypervisor's code): then each block counts by itself.
constexpr uint64_t longest_function = 1 << 20;

}  // namespace

SteadyServe::SteadyServe(collect::Kallsyms symbols, std::string stream_path, const SteadyRule& rule,
                         double continue_to)
    : symbols_(std::move(symbols)),
      follower_(std::move(stream_path), counts_as_hap),
      watch_(rule),
      continue_to_(continue_to) {
  facts_["until"] = "steady";
}

Result<bool> SteadyServe::window_ended(uint64_t number, Progress& progress) {
  HAP_TRY(finished, follower_.poll());
  bool found = false;
  for (const auto& window : finished) {
    if (window.phase != Phase::serve || window.number != number) continue;
    found = true;
    ++windows_;
    if (!stop_at_) HAP_CHECK(decide(window.addresses));
  }
  if (!found) {
    return Error(fmt::format("the collector's stream has no window {}", number), ErrorKind::corrupt);
  }
  progress.step(stop_at_ ? fmt::format("window {} of {}", windows_, *stop_at_)
                         : fmt::format("window {}: {} functions, waiting for {}", windows_, watch_.items(),
                                       watch_.waiting_for()));
  return !stop_at_ || windows_ < *stop_at_;
}

Status SteadyServe::decide(const std::vector<uint64_t>& addresses) {
  std::vector<uint64_t> functions;
  for (const uint64_t address : addresses) {
    functions.push_back(symbols_.function_at(address, longest_function).value_or(address));
  }
  const SteadyVerdict verdict = watch_.observe(functions);
  if (verdict == SteadyVerdict::not_yet) return {};
  stop_at_ = static_cast<uint32_t>(std::lround(windows_ * continue_to_));
  const Completeness seen = watch_.assess();
  facts_["steady_verdict"] = verdict == SteadyVerdict::steady ? "steady" : "cap";
  facts_["steady_windows"] = std::to_string(windows_);
  facts_["steady_functions"] = std::to_string(seen.seen);
  if (verdict == SteadyVerdict::cap_reached) facts_["steady_waiting_for"] = watch_.waiting_for();
  if (seen.growth) {
    facts_["steady_growth"] = fmt::format("{:.2f}", seen.growth->value);
    facts_["steady_growth_low"] = fmt::format("{:.2f}", seen.growth->low);
    facts_["steady_growth_high"] = fmt::format("{:.2f}", seen.growth->high);
  }
  return {};
}

std::map<std::string, std::string> SteadyServe::facts() const {
  return facts_;
}

}  // namespace hap::cli
