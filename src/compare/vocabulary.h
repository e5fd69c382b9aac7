// All functions of a comparison, each once, so that a density model is asked once per function and not once
// per function and recording.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "hap/compare.h"

namespace hap::compare {

// A function of a recording: its number in the vocabulary and what it counts for.
struct FunctionUse {
  std::uint32_t id;
  bool softirq_only;
  double lines;  // in this recording's build
};

class Vocabulary {
 public:
  std::vector<FunctionUse> add(const std::vector<FunctionSummary>& functions);

  std::size_t size() const { return functions_.size(); }
  const FunctionSummary& function(std::uint32_t id) const { return functions_[id]; }
  const std::string& key(std::uint32_t id) const { return *keys_[id]; }

 private:
  std::unordered_map<std::string, std::uint32_t> ids_;
  std::vector<const std::string*> keys_;    // into ids_, whose nodes stay where they are
  std::vector<FunctionSummary> functions_;  // as first met
};

// The density of every function under one model, and its perturbation group.
class WeighedVocabulary {
 public:
  WeighedVocabulary(const Vocabulary& vocabulary, const DensityModel& model);

  std::size_t groups() const { return group_names_.size(); }
  const std::vector<std::string>& group_names() const { return group_names_; }
  // Bugs per group of one recording; null when the model knows less than half of its lines.
  std::optional<std::vector<double>> bugs(const std::vector<FunctionUse>& functions, Scope scope) const;

 private:
  struct Weight {
    std::optional<double> per_kloc;
    std::uint32_t group = 0;
  };
  std::vector<Weight> weights_;
  std::vector<std::string> group_names_;
};

// Functions that every workload exercises (each in at least one recording). Empty with fewer than two
// workloads.
std::unordered_set<std::string> popular_functions(const Vocabulary& vocabulary,
                                                  const std::vector<ReportSummary>& reports,
                                                  const std::vector<std::vector<FunctionUse>>& uses);

}  // namespace hap::compare
