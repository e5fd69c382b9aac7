// How well the rules do what a person did: precision and recall against a hand classification.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ledger/book.h"

namespace hap::ledger {

// A proportion with its 95 % Wilson score interval (E. B. Wilson, JASA 22, 1927).
struct Proportion {
  uint64_t hits = 0;
  uint64_t of = 0;
  double value() const { return of == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(of); }
  double low() const;
  double high() const;
};

struct AccuracyRow {
  std::string name;                     // technology, or "all"
  uint64_t both = 0;                    // cells that person and rules count
  uint64_t only_hand = 0;               // missed by the rules
  uint64_t only_rules = 0;              // counted by the rules alone
  uint64_t only_rules_alternative = 0;  // of those, the person called plausible but left out
  Proportion precision() const { return {both, both + only_rules}; }
  Proportion recall() const { return {both, both + only_hand}; }
  // Precision when a record that the person called plausible is neither right nor wrong.
  Proportion lenient_precision() const { return {both, both + only_rules - only_rules_alternative}; }
};

struct Disagreement {
  std::string id;
  std::string technology;
  std::string hand;  // "pe/core", or "-"
  std::string rules;
  std::string why;  // of the rules
};

struct Accuracy {
  std::string against;             // classification file
  uint64_t records = 0;            // hand-classified records that are in the database
  uint64_t missing = 0;            // hand-classified records without a record in the database: not judged
  std::vector<AccuracyRow> cells;  // unit: (record, technology, impact)
  std::vector<AccuracyRow> technologies;  // unit: (record, technology), whatever the impact
  std::vector<Disagreement> disagreements;
};

// `book` must be opened with rules_only. Counted are tiers core and upper on both sides.
Accuracy measure_accuracy(const Book& book, const ClassificationFile& hand);
std::string accuracy_text(const Accuracy& accuracy, bool list_disagreements);
std::string accuracy_json(const Accuracy& accuracy);

}  // namespace hap::ledger
