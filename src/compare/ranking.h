// Rankings of the sandboxes of one workload.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "compare/vocabulary.h"
#include "hap/compare.h"

namespace hap::compare {

// The recordings of one sandbox with one workload.
struct Cell {
  std::string sandbox;                  // as shown: with variant, collector or kernel where they differ
  std::vector<std::size_t> recordings;  // into the list of reports
};

struct WeighedModel {
  std::string name;
  WeighedVocabulary vocabulary;
};

struct RankingInput {
  std::span<const ReportSummary> reports;
  std::span<const std::vector<FunctionUse>> uses;  // of each report
  std::span<const WeighedModel> models;
  const CompareOptions& options;
};

// One ranking per scope and metric, then per scope and model. A ranking that fewer than two cells know is
// kept: it says whose figure is unknown.
std::vector<Ranking> rank(const std::vector<Cell>& cells, const RankingInput& input);

}  // namespace hap::compare
