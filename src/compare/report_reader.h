// A report's JSON without a tree of its functions, which are nearly all of it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hap/compare.h"

namespace hap::compare {

struct ReadReport {
  nlohmann::json rest;  // everything but `functions`; not an object when the text is no JSON
  // Those of the HAP and its soft interrupts, each once, inlined ones left out.
  std::vector<FunctionSummary> functions;
};

ReadReport read_report(const std::string& text);

}  // namespace hap::compare
