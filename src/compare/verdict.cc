#include "compare/verdict.h"

#include <algorithm>
#include <map>

namespace hap::compare {
namespace {

std::string full_name(const Ranking& ranking) {
  return ranking.scope == Scope::hap ? ranking.name() : to_string(ranking.scope) + "/" + ranking.name();
}

std::optional<double> mean_in(const Ranking& ranking, const std::string& sandbox) {
  for (const RankedFigure& figure : ranking.order) {
    if (figure.sandbox == sandbox) return figure.spread.mean;
  }
  return std::nullopt;
}

// Probability that a is below b; null when untested or one of them is unknown.
std::optional<double> below(const Ranking& ranking, const std::string& a, const std::string& b) {
  for (const PairProbability& pair : ranking.pairs) {
    if (!pair.probability) continue;
    if (pair.lower == a && pair.higher == b) return *pair.probability;
    if (pair.lower == b && pair.higher == a) return 1 - *pair.probability;
  }
  return std::nullopt;
}

Verdict verdict_of(const PairVerdict& pair, std::size_t tested) {
  if (tested == 0) return Verdict::untested;
  if (!pair.a_below.empty() && !pair.b_below.empty()) return Verdict::depends;
  if (pair.a_below.empty() && pair.b_below.empty()) return Verdict::open;
  return pair.not_told.empty() ? Verdict::robust : Verdict::leaning;
}

PairVerdict judge(std::string a, std::string b, const std::vector<Ranking>& rankings, double confidence) {
  PairVerdict pair{std::move(a), std::move(b), Verdict::untested, {}, {}, {}, 0, 0};
  std::size_t tested = 0;
  bool in_scope[2] = {false, false};
  for (const Ranking& ranking : rankings) {
    const auto mean_a = mean_in(ranking, pair.a);
    const auto mean_b = mean_in(ranking, pair.b);
    if (!mean_a || !mean_b) continue;
    pair.a_lower += *mean_a < *mean_b;
    pair.b_lower += *mean_b < *mean_a;
    const auto probability = below(ranking, pair.a, pair.b);
    if (!probability) {
      pair.not_told.push_back(full_name(ranking));
      continue;
    }
    ++tested;
    in_scope[static_cast<int>(ranking.scope)] = true;
    auto& list = *probability >= confidence       ? pair.a_below
                 : *probability <= 1 - confidence ? pair.b_below
                                                  : pair.not_told;
    list.push_back(full_name(ranking));
  }
  pair.verdict = verdict_of(pair, tested);
  // "Robust" is a statement about both ways to account for softirqs.
  if (pair.verdict == Verdict::robust && !(in_scope[0] && in_scope[1])) pair.verdict = Verdict::leaning;
  const bool swap = pair.b_below.size() > pair.a_below.size() ||
                    (pair.b_below.size() == pair.a_below.size() && pair.b_lower > pair.a_lower);
  if (swap) {
    std::swap(pair.a, pair.b);
    std::swap(pair.a_below, pair.b_below);
    std::swap(pair.a_lower, pair.b_lower);
  }
  return pair;
}

}  // namespace

std::vector<Agreement> agreement_of(const std::vector<Ranking>& rankings) {
  std::vector<Agreement> agreement;
  for (std::size_t i = 0; i < rankings.size(); ++i) {
    for (std::size_t j = i + 1; j < rankings.size(); ++j) {
      if (rankings[i].scope != rankings[j].scope) continue;
      std::vector<double> a;
      std::vector<double> b;
      for (const RankedFigure& figure : rankings[i].order) {
        if (const auto other = mean_in(rankings[j], figure.sandbox)) {
          a.push_back(figure.spread.mean);
          b.push_back(*other);
        }
      }
      agreement.push_back({rankings[i].scope, rankings[i].name(), rankings[j].name(), kendall_tau_b(a, b)});
    }
  }
  return agreement;
}

std::vector<PairVerdict> judge_pairs(const std::vector<std::string>& sandboxes,
                                     const std::vector<Ranking>& rankings, double confidence) {
  std::vector<PairVerdict> pairs;
  for (std::size_t i = 0; i < sandboxes.size(); ++i) {
    for (std::size_t j = i + 1; j < sandboxes.size(); ++j) {
      pairs.push_back(judge(sandboxes[i], sandboxes[j], rankings, confidence));
    }
  }
  return pairs;
}

}  // namespace hap::compare

namespace hap {

std::string to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::robust:
      return "robust";
    case Verdict::leaning:
      return "leaning";
    case Verdict::depends:
      return "depends";
    case Verdict::open:
      return "open";
    case Verdict::untested:
      return "untested";
  }
  return "untested";
}

}  // namespace hap
