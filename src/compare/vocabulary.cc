#include "compare/vocabulary.h"

#include <algorithm>
#include <set>

namespace hap::compare {

std::vector<FunctionUse> Vocabulary::add(const std::vector<FunctionSummary>& functions) {
  std::vector<FunctionUse> uses;
  uses.reserve(functions.size());
  for (const FunctionSummary& function : functions) {
    const auto [place, fresh] = ids_.emplace(function_key(function.name, function.file),
                                             static_cast<std::uint32_t>(functions_.size()));
    if (fresh) {
      keys_.push_back(&place->first);
      functions_.push_back(function);
    }
    uses.push_back({place->second, function.softirq_only, function.lines});
  }
  return uses;
}

WeighedVocabulary::WeighedVocabulary(const Vocabulary& vocabulary, const DensityModel& model) {
  std::unordered_map<std::string, std::uint32_t> groups;
  weights_.reserve(vocabulary.size());
  for (std::uint32_t id = 0; id < vocabulary.size(); ++id) {
    const FunctionSummary& function = vocabulary.function(id);
    const CodePiece piece{function.name, function.file, function.lines};
    Weight weight;
    weight.per_kloc = model.per_kloc(piece);
    const auto [place, fresh] =
        groups.emplace(model.group(piece), static_cast<std::uint32_t>(group_names_.size()));
    if (fresh) group_names_.push_back(place->first);
    weight.group = place->second;
    weights_.push_back(weight);
  }
}

std::optional<std::vector<double>> WeighedVocabulary::bugs(const std::vector<FunctionUse>& functions,
                                                           Scope scope) const {
  std::vector<double> sums(group_names_.size(), 0);
  double known = 0;
  double unknown = 0;
  for (const FunctionUse& use : functions) {
    if (use.softirq_only && scope == Scope::hap) continue;
    const Weight& weight = weights_[use.id];
    (weight.per_kloc ? known : unknown) += use.lines;
    if (weight.per_kloc) sums[weight.group] += use.lines * *weight.per_kloc / 1000;
  }
  if (known <= 0 || known < unknown) return std::nullopt;
  return sums;
}

std::unordered_set<std::string> popular_functions(const Vocabulary& vocabulary,
                                                  const std::vector<ReportSummary>& reports,
                                                  const std::vector<std::vector<FunctionUse>>& uses) {
  std::map<std::string, std::vector<bool>> seen;  // by workload
  for (std::size_t i = 0; i < reports.size(); ++i) {
    auto& by_id = seen[reports[i].workload];
    by_id.resize(vocabulary.size());
    for (const FunctionUse& use : uses[i]) by_id[use.id] = true;
  }
  std::unordered_set<std::string> popular;
  if (seen.size() < 2) return popular;
  for (std::uint32_t id = 0; id < vocabulary.size(); ++id) {
    const bool everywhere =
        std::all_of(seen.begin(), seen.end(), [id](const auto& entry) { return entry.second[id]; });
    if (everywhere) popular.insert(vocabulary.key(id));
  }
  return popular;
}

}  // namespace hap::compare
