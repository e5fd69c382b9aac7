#include "ledger/rules.h"

#include <algorithm>
#include <array>

namespace hap::ledger {

// A record as conditions see it.
struct Rules::View {
  const Record& record;
  std::vector<bool> text;
  std::map<std::string, std::vector<bool>> rationale;  // by metric
  std::vector<bool> facts;
  std::vector<std::string> evidence;  // by fact
};

namespace {

bool one_glob(const std::vector<std::string>& globs, const std::string& text) {
  return std::any_of(globs.begin(), globs.end(),
                     [&text](const std::string& glob) { return glob_match(glob, text); });
}

// Are all parts of "AV:L/PR:L" among the vector's?
bool has_parts(const std::string& vector, const std::string& parts) {
  const std::string whole = "/" + vector + "/";
  size_t start = 0;
  while (start <= parts.size()) {
    const size_t end = std::min(parts.find('/', start), parts.size());
    if (whole.find("/" + parts.substr(start, end - start) + "/") == std::string::npos) return false;
    start = end + 1;
  }
  return true;
}

void add(std::string* evidence, const std::string& text) {
  if (evidence == nullptr) return;
  if (!evidence->empty()) *evidence += ", ";
  *evidence += text;
}

std::string component_of(const Record& record) {
  for (const auto& file : record.files) {
    if (!file.starts_with("include/")) return subsystem_of(file);
  }
  return record.files.empty() ? std::string() : subsystem_of(record.files.front());
}

}  // namespace

const Technology* Rules::technology(const std::string& id) const {
  const auto found = std::find_if(technologies_.begin(), technologies_.end(),
                                  [&id](const Technology& t) { return t.id == id; });
  return found == technologies_.end() ? nullptr : &*found;
}

bool Rules::holds(const Condition& when, const View& view, std::string* evidence) const {
  const Record& record = view.record;
  const auto fact = [&view](size_t number) { return view.facts[number]; };
  if (std::any_of(when.unless.begin(), when.unless.end(), fact)) return false;
  if (!std::all_of(when.facts.begin(), when.facts.end(), fact)) return false;
  if (!when.any.empty() && std::none_of(when.any.begin(), when.any.end(), fact)) return false;
  const auto listed = [](const std::vector<std::string>& list, const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
  };
  if (!when.product.empty() && std::none_of(record.products.begin(), record.products.end(),
                                            [&](const std::string& p) { return listed(when.product, p); })) {
    return false;
  }
  if (!when.only_product.empty() &&
      (record.products.empty() ||
       !std::all_of(record.products.begin(), record.products.end(),
                    [&](const std::string& p) { return listed(when.only_product, p); }))) {
    return false;
  }
  const auto in_text = [&view](size_t phrase) { return view.text[phrase]; };
  if (std::any_of(when.not_text.begin(), when.not_text.end(), in_text)) return false;
  if (!std::all_of(when.all_text.begin(), when.all_text.end(), in_text)) return false;
  for (const size_t phrase : when.all_text) add(evidence, "\"" + phrases_[phrase] + "\"");
  if (!when.text.empty()) {
    const auto found = std::find_if(when.text.begin(), when.text.end(), in_text);
    if (found == when.text.end()) return false;
    add(evidence, "\"" + phrases_[*found] + "\"");
  }
  if (!when.path.empty()) {
    const auto found = std::find_if(record.files.begin(), record.files.end(),
                                    [&](const std::string& file) { return one_glob(when.path, file); });
    if (found == record.files.end()) return false;
    add(evidence, *found);
  }
  if (!when.all_path.empty()) {
    if (record.files.empty() ||
        !std::all_of(record.files.begin(), record.files.end(),
                     [&](const std::string& file) { return one_glob(when.all_path, file); })) {
      return false;
    }
    add(evidence, record.files.front());
  }
  if (!when.cvss.empty()) {
    const auto found = std::find_if(when.cvss.begin(), when.cvss.end(),
                                    [&](const std::string& parts) { return has_parts(record.cvss, parts); });
    if (found == when.cvss.end()) return false;
    add(evidence, "CVSS " + *found);
  }
  for (const auto& [metric, phrases] : when.rationale) {
    const auto line = view.rationale.find(metric);
    if (line == view.rationale.end()) return false;
    const auto found =
        std::find_if(phrases.begin(), phrases.end(), [&](size_t phrase) { return line->second[phrase]; });
    if (found == phrases.end()) return false;
    add(evidence, "the CNA on " + metric + ": \"" + phrases_[*found] + "\"");
  }
  if (!when.advisory.empty()) {
    const auto found =
        std::find_if(record.advisories.begin(), record.advisories.end(),
                     [&](const std::string& advisory) { return one_glob(when.advisory, advisory); });
    if (found == record.advisories.end()) return false;
    add(evidence, *found);
  }
  return true;
}

std::string Rules::named(size_t fact, const View& view) const {
  return view.evidence[fact].empty() ? fact_names_[fact]
                                     : fact_names_[fact] + " (" + view.evidence[fact] + ")";
}

void Rules::establish(const Record& record, View& view) const {
  phrase_set_.find(normalise_text(record.title + "\n" + record.description), view.text);
  constexpr std::array<std::string_view, 8> metrics{"AV", "AC", "PR", "UI", "S", "C", "I", "A"};
  size_t start = 0;
  while (start < record.rationale.size()) {
    const size_t end = std::min(record.rationale.find('\n', start), record.rationale.size());
    const std::string_view line = std::string_view(record.rationale).substr(start, end - start);
    for (const auto metric : metrics) {
      if (line.size() > metric.size() && line.starts_with(metric) && line[metric.size()] == ':') {
        phrase_set_.find(normalise_text(line), view.rationale[std::string(metric)]);
      }
    }
    start = end + 1;
  }
  view.facts.assign(fact_names_.size(), false);
  view.evidence.assign(fact_names_.size(), std::string());
  for (const auto& rule : facts_) {
    if (view.facts[rule.fact]) continue;
    std::string evidence;
    if (!holds(rule.when, view, &evidence)) continue;
    view.facts[rule.fact] = true;
    for (const auto* list : {&rule.when.facts, &rule.when.any}) {
      for (const size_t fact : *list) {
        if (view.facts[fact] && fact != rule.fact) add(&evidence, named(fact, view));
      }
    }
    view.evidence[rule.fact] = evidence.empty() ? rule.why : evidence;
  }
}

std::vector<Classification> Rules::classify(Record& record) const {
  View view{record, {}, {}, {}, {}};
  establish(record, view);
  std::vector<Classification> cells;
  for (const auto& rule : cells_) {
    const bool decided = std::any_of(cells.begin(), cells.end(), [&rule](const Classification& c) {
      return c.technology == rule.technology;
    });
    std::string evidence;
    if (decided || !holds(rule.when, view, &evidence)) continue;
    Classification cell;
    cell.technology = rule.technology;
    cell.impact = rule.impact;
    cell.tier = rule.tier;
    cell.attacker = rule.attacker;
    cell.condition = rule.condition;
    cell.made_by = "rule " + rule.name;
    cell.why = rule.why;
    for (const auto* list : {&rule.when.facts, &rule.when.any}) {
      for (const size_t fact : *list) {
        if (view.facts[fact]) add(&evidence, named(fact, view));
      }
    }
    if (rule.tier == Tier::core) {
      for (const size_t fact : rule.upper_if) {
        if (!view.facts[fact]) continue;
        cell.tier = Tier::upper;
        add(&cell.condition, fact_names_[fact]);
        add(&evidence, named(fact, view));
      }
    }
    if (!evidence.empty()) cell.why += ": " + evidence;
    cell.component = component_of(record);
    cells.push_back(std::move(cell));
  }
  std::vector<Requirement> needs;
  for (const auto& rule : requirements_) {
    std::string evidence;
    if (!holds(rule.when, view, &evidence)) continue;
    const auto same = [&rule](const Requirement& have) {
      return have.kind == rule.requirement.kind && have.name == rule.requirement.name;
    };
    if (std::any_of(needs.begin(), needs.end(), same) ||
        std::any_of(record.requirements.begin(), record.requirements.end(), same)) {
      continue;
    }
    Requirement need = rule.requirement;
    need.why = "rule on " + evidence;
    needs.push_back(std::move(need));
  }
  for (auto& need : needs) record.requirements.push_back(std::move(need));
  return cells;
}

std::vector<std::pair<std::string, std::string>> Rules::explain(const Record& record) const {
  View view{record, {}, {}, {}, {}};
  establish(record, view);
  std::vector<std::pair<std::string, std::string>> list;
  for (size_t i = 0; i < fact_names_.size(); ++i) {
    if (view.facts[i]) list.emplace_back(fact_names_[i], view.evidence[i]);
  }
  return list;
}

}  // namespace hap::ledger
