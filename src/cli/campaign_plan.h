// What a campaign measures: the matrix of cells that its TOML file describes.
//
//   name = "published-figure"
//   sandboxes = ["docker-default", "kvm-qemu"]      # every sandbox with every workload ...
//   workloads = ["redis-set", "node-express"]
//   boots = 1                                       # independently booted machines
//   repeats = 5                                     # cells from each boot
//   profile = "published"                           # or "fast"
//   until = "requests"                              # or "steady"; without it, the profile's own
//   parallel = 2                                    # lab machines side by side
//   options = ["--clock", "wall"]                   # passed on to `hap measure`
//
//   [[cell]]                                        # ... and single cells beside the matrix
//   sandbox = "bare"
//   workload = "redis-get"
//   label = "bare-icount"                           # keeps variants of a cell apart
//   options = ["--clock", "instructions"]
#pragma once

#include <string>
#include <vector>

#include "hap/result.h"

namespace hap::cli {

struct CampaignCell {
  std::string sandbox;
  std::string workload;
  std::string profile;
  std::string label;  // "" for a matrix cell
  int boot = 1;
  int repeat = 1;
  std::vector<std::string> options;  // further arguments of `hap measure`

  // Unique within the campaign and stable from run to run, so that a cell that has its recording is not
  // measured again: "docker-default.redis-set.b1.r3.hap".
  std::string file_name() const;
};

struct CampaignPlan {
  std::string name;
  int parallel = 1;
  std::vector<CampaignCell>
      cells;  // interleaved by repeat, so that a drift of the machine hits all rows alike
};

// Errors (usage): not TOML (with line and column), unknown keys, nothing to measure, absurd counts.
Result<CampaignPlan> parse_campaign(const std::string& text, const std::string& path);

}  // namespace hap::cli
