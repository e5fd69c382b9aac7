// The live collectors by name, and the choice between them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collect/live_collector.h"

namespace hap::live {

struct NamedCollector {
  std::string name;
  std::string summary;
};
// Best first.
std::vector<NamedCollector> live_collectors();

// Errors (usage): no such name.
Result<std::unique_ptr<collect::LiveCollector>> make_collector(const std::string& name);

struct Choice {
  std::unique_ptr<collect::LiveCollector> collector;
  std::string why;  // one sentence: which, and why not a better one
};
// "auto": the best that works here. Errors (unsupported): none does; with each one's reason.
Result<Choice> choose_collector(const std::string& name);

}  // namespace hap::live
