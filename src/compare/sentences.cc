#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "compare/verdict.h"

namespace hap::compare {
namespace {

// "a", "a and b", "a, b and c".
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

// As listed(), but at most `most` names and the number of the rest.
std::string abridged(const std::vector<std::string>& names, std::size_t most) {
  if (names.size() <= most) return listed(names);
  const std::vector<std::string> first(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(most));
  std::string text;
  for (const std::string& name : first) text += name + ", ";
  text.resize(text.size() - 2);
  return fmt::format("{} and {} more", text, names.size() - most);
}

std::size_t rankings_of(const PairVerdict& pair) {
  return pair.a_below.size() + pair.b_below.size() + pair.not_told.size();
}

std::vector<const PairVerdict*> with(const std::vector<PairVerdict>& pairs, Verdict verdict) {
  std::vector<const PairVerdict*> found;
  for (const PairVerdict& pair : pairs) {
    if (pair.verdict == verdict) found.push_back(&pair);
  }
  return found;
}

void conclude_robust(const std::vector<PairVerdict>& pairs, std::vector<std::string>& sentences) {
  std::map<std::string, std::vector<std::string>> above;
  std::map<std::string, std::size_t> rankings;
  for (const PairVerdict* pair : with(pairs, Verdict::robust)) {
    above[pair->a].push_back(pair->b);
    auto& least = rankings.emplace(pair->a, rankings_of(*pair)).first->second;
    least = std::min(least, rankings_of(*pair));
  }
  for (const auto& [sandbox, others] : above) {
    sentences.push_back(
        fmt::format("Robust: {} is below {} in all {} rankings (every metric and density model, with "
                    "and without softirqs).",
                    sandbox, listed(others), rankings[sandbox]));
  }
}

void conclude_untested(const std::vector<PairVerdict>& pairs, std::vector<std::string>& sentences) {
  const auto untested = with(pairs, Verdict::untested);
  if (untested.empty()) return;
  std::vector<std::string> same;
  std::vector<std::string> mixed;
  for (const PairVerdict* pair : untested) {
    if (pair->a_lower + pair->b_lower == 0) continue;
    if (pair->b_lower == 0) {
      same.push_back(fmt::format("{} below {}", pair->a, pair->b));
    } else {
      mixed.push_back(fmt::format("{} and {} ({} to {})", pair->a, pair->b, pair->a_lower, pair->b_lower));
    }
  }
  sentences.push_back(
      fmt::format("Not tested: {} of {} pairs have fewer than {} boots on a side, so how far the values "
                  "would differ in another boot is unknown.",
                  untested.size(), pairs.size(), kMinBoots));
  if (!same.empty()) {
    sentences.push_back(
        fmt::format("By the measured values alone the same way round in every ranking: {}.", listed(same)));
  }
  if (!mixed.empty()) {
    sentences.push_back(
        fmt::format("By the measured values alone the order depends on the ranking: {}.", listed(mixed)));
  }
}

}  // namespace

std::vector<std::string> conclude(const WorkloadComparison& workload) {
  std::vector<std::string> sentences;
  if (workload.sandboxes.size() < 2) {
    sentences.emplace_back("One sandbox only: there is nothing to rank.");
    return sentences;
  }
  conclude_robust(workload.pairs, sentences);
  for (const PairVerdict* pair : with(workload.pairs, Verdict::depends)) {
    sentences.push_back(fmt::format(
        "Depends on the choice: {} is below {} in {}, but above it in {}{}.", pair->a, pair->b,
        abridged(pair->a_below, 6), abridged(pair->b_below, 6),
        pair->not_told.empty() ? "" : fmt::format("; not told apart in {}", abridged(pair->not_told, 4))));
  }
  for (const PairVerdict* pair : with(workload.pairs, Verdict::leaning)) {
    if (pair->not_told.empty()) {
      sentences.push_back(
          fmt::format("Not called robust: {} is below {} in all {} rankings, but only one way to "
                      "account for softirqs could be tested.",
                      pair->a, pair->b, rankings_of(*pair)));
      continue;
    }
    sentences.push_back(fmt::format("Mostly: {} is below {} in {} of {} rankings; not told apart in {}.",
                                    pair->a, pair->b, pair->a_below.size(), rankings_of(*pair),
                                    abridged(pair->not_told, 6)));
  }
  std::vector<std::string> open;
  for (const PairVerdict* pair : with(workload.pairs, Verdict::open))
    open.push_back(pair->a + " from " + pair->b);
  if (!open.empty()) sentences.push_back(fmt::format("Not told apart by any ranking: {}.", listed(open)));
  conclude_untested(workload.pairs, sentences);
  return sentences;
}

std::vector<std::string> conclude_across(const std::vector<WorkloadComparison>& workloads) {
  std::vector<std::string> sentences;
  if (workloads.size() < 2) return sentences;
  // For each pair in alphabetical order: in which workloads is which one robustly below?
  struct Tally {
    std::vector<std::string> first_below;
    std::vector<std::string> second_below;
    std::size_t workloads = 0;
  };
  std::map<std::pair<std::string, std::string>, Tally> tallies;
  for (const WorkloadComparison& workload : workloads) {
    for (const PairVerdict& pair : workload.pairs) {
      const bool in_order = pair.a < pair.b;
      Tally& tally = tallies[in_order ? std::pair(pair.a, pair.b) : std::pair(pair.b, pair.a)];
      ++tally.workloads;
      if (pair.verdict == Verdict::robust)
        (in_order ? tally.first_below : tally.second_below).push_back(workload.workload);
    }
  }
  std::map<std::string, std::vector<std::string>> everywhere;
  std::vector<std::string> turned;
  for (const auto& [names, tally] : tallies) {
    if (tally.workloads < 2) continue;
    const auto& [first, second] = names;
    if (tally.first_below.size() == tally.workloads) everywhere[first].push_back(second);
    if (tally.second_below.size() == tally.workloads) everywhere[second].push_back(first);
    if (!tally.first_below.empty() && !tally.second_below.empty()) {
      turned.push_back(fmt::format("{} is robustly below {} with {} and robustly above it with {}", first,
                                   second, listed(tally.first_below), listed(tally.second_below)));
    }
  }
  for (const auto& [sandbox, others] : everywhere) {
    sentences.push_back(
        fmt::format("With every workload: {} is robustly below {}.", sandbox, listed(others)));
  }
  for (const std::string& sentence : turned) sentences.push_back("The workload decides: " + sentence + ".");
  if (sentences.empty()) sentences.emplace_back("No order of two sandboxes is robust with every workload.");
  return sentences;
}

}  // namespace hap::compare
