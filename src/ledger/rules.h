// The classification rules: data/ledger/rules.toml, compiled.
//
// A rule has a condition over a record (products, texts, file paths, CVSS vector, the rationale of single
// CVSS metrics, advisories) and over facts that earlier rules established. Three kinds are applied in the
// order of the file:
//   [[fact]]         establishes a named fact, remembered with the words or path that established it
//   [[requirement]]  adds what an attacker needs (capability, user namespace, device)
//   [[cell]]         puts the record into a cell; per technology the first that holds decides
// so every classification can be told as: which rule, on which facts, on which words.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hap/ledger.h"
#include "ledger/text.h"

namespace hap::ledger {

// Every non-empty member must hold; within a member one entry is enough, unless said otherwise.
struct Condition {
  std::vector<std::string> product;
  std::vector<std::string> only_product;  // all products of the record are among these
  std::vector<size_t> text;               // phrases in title or description
  std::vector<size_t> all_text;           // all of them
  std::vector<size_t> not_text;           // none of them
  std::vector<std::string> path;          // globs over the files
  std::vector<std::string> all_path;      // every file matches one of these globs (and there is a file)
  std::vector<std::string> cvss;          // "AV:L/PR:L": all parts are in the vector
  std::map<std::string, std::vector<size_t>> rationale;  // metric ("PR") -> phrases in its line
  std::vector<std::string> advisory;                     // globs
  std::vector<size_t> facts;                             // all of them
  std::vector<size_t> any;                               // one of them
  std::vector<size_t> unless;                            // none of them
};

struct FactRule {
  size_t fact = 0;
  Condition when;
  std::string why;
};

struct RequirementRule {
  Condition when;
  Requirement requirement;
};

struct CellRule {
  std::string name;
  std::string technology;
  Impact impact = Impact::privilege_escalation;
  Tier tier = Tier::core;
  Condition when;
  std::vector<size_t> upper_if;  // a core cell becomes `upper` when one of these facts holds
  std::string attacker;
  std::string condition;
  std::string why;
};

// The year from which records of a product are counted differently (the kernel's own CNA).
struct ComparabilityBreak {
  int year = 0;
  std::vector<std::string> technologies;
  std::string warning;
};

class Rules {
 public:
  static Result<Rules> parse(const std::string& toml, const std::string& origin);
  static Result<Rules> load(const std::string& path);

  const std::vector<Technology>& technologies() const { return technologies_; }
  const Technology* technology(const std::string& id) const;
  const std::vector<ComparabilityBreak>& breaks() const { return breaks_; }
  const std::string& digest() const { return digest_; }

  // What the rules make of a record; its derived requirements are added to it.
  std::vector<Classification> classify(Record& record) const;
  // The facts that hold for it, with what established each: `hap ledger show --why`.
  std::vector<std::pair<std::string, std::string>> explain(const Record& record) const;

 private:
  friend class RulesReader;
  struct View;
  bool holds(const Condition& condition, const View& view, std::string* evidence) const;
  std::string named(size_t fact, const View& view) const;  // "claims-pe (\"gain privileges\")"
  void establish(const Record& record, View& view) const;

  std::vector<Technology> technologies_;
  std::vector<ComparabilityBreak> breaks_;
  std::vector<std::string> fact_names_;
  std::vector<std::string> phrases_;  // as written, for explanations
  PhraseSet phrase_set_;
  std::vector<FactRule> facts_;
  std::vector<RequirementRule> requirements_;
  std::vector<CellRule> cells_;
  std::string digest_;
};

}  // namespace hap::ledger
