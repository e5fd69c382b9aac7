#include "live/collectors.h"

#include "collect/bpf/bpf_collector.h"
#include "collect/ftrace/ftrace_collector.h"

namespace hap::live {

using collect::LiveCollector;

std::vector<NamedCollector> live_collectors() {
  // Both lose nothing in task context (docs/validity.md); bpf costs less (docs/live.md).
  return {{"bpf", "function entries of a scope on this machine, by kprobe multi"},
          {"ftrace", "function entries of a scope on this machine, by the function tracer"}};
}

Result<std::unique_ptr<LiveCollector>> make_collector(const std::string& name) {
  if (name == "bpf") return collect::make_bpf_collector();
  if (name == "ftrace") return collect::make_ftrace_collector();
  return Error("no live collector of this name", ErrorKind::usage).at(name).hint("see `hap list collectors`");
}

Result<Choice> choose_collector(const std::string& name) {
  if (name != "auto") {
    HAP_TRY(collector, make_collector(name));
    const auto probe = collector->probe();
    if (!probe.usable) {
      return Error(probe.why_not, ErrorKind::unsupported).hint(probe.hint).context("collector " + name);
    }
    return Choice{std::move(collector), "collector " + name + ", as asked for"};
  }
  std::string reasons;
  std::string hint;
  for (const auto& candidate : live_collectors()) {
    HAP_TRY(collector, make_collector(candidate.name));
    const auto probe = collector->probe();
    if (probe.usable) {
      const std::string why = reasons.empty() ? "the best there is" : reasons;
      return Choice{std::move(collector), "collector " + candidate.name + ": " + why};
    }
    reasons += (reasons.empty() ? "not " : "; not ") + candidate.name + " (" + probe.why_not + ")";
    hint = probe.hint;
  }
  return Error("this machine lets nothing be traced: " + reasons, ErrorKind::unsupported)
      .hint(hint.empty() ? "`hap doctor` says more; `hap measure` needs no tracing" : hint);
}

}  // namespace hap::live
