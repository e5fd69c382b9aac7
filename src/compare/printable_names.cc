#include "compare/printable_names.h"

#include <map>
#include <set>

#include "base/printable.h"

namespace hap::compare {
namespace {

constexpr size_t longest = 32;

class Names {
 public:
  void show(std::string& name) {
    const auto [entry, added] = shown_.try_emplace(name);
    if (added) entry->second = different(printable(name, longest));
    name = entry->second;
  }

 private:
  std::string different(const std::string& wanted) {
    std::string name = wanted;
    for (int n = 2; !taken_.insert(name).second; ++n) {
      name = printable(wanted, longest - 4) + "~" + std::to_string(n);
    }
    return name;
  }

  std::map<std::string, std::string> shown_;
  std::set<std::string> taken_;
};

void show_sentences(std::vector<std::string>& sentences) {
  for (auto& sentence : sentences) sentence = printable(sentence);
}

}  // namespace

Comparison with_printable_names(Comparison comparison) {
  Names workloads, sandboxes;
  for (auto& workload : comparison.workloads) {
    workloads.show(workload.workload);
    for (auto& sandbox : workload.sandboxes) sandboxes.show(sandbox);
    for (auto& ranking : workload.rankings) {
      for (auto& figure : ranking.order) sandboxes.show(figure.sandbox);
      for (auto& sandbox : ranking.unknown) sandboxes.show(sandbox);
      for (auto& pair : ranking.pairs) {
        sandboxes.show(pair.lower);
        sandboxes.show(pair.higher);
      }
    }
    for (auto& pair : workload.pairs) {
      sandboxes.show(pair.a);
      sandboxes.show(pair.b);
    }
    show_sentences(workload.conclusions);
  }
  show_sentences(comparison.conclusions);
  show_sentences(comparison.notes);
  return comparison;
}

}  // namespace hap::compare
