// The HTML report: one self-contained file that shows one report, several side by side, or a comparison.
//
// The page (web/) is built once, with its program and style inside; here the data are put in. They are never
// markup: the reports go in as JSON in an element that does not execute, with every `<` escaped, the function
// tables as base64; the page's content security policy allows its own program only, and the program shows
// names as text only.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hap/result.h"
#include "report/html_functions.h"

namespace hap::report {

// Collects what the page is to show. Reports are taken one by one, so that a campaign's need not all be in
// memory at once.
class HtmlPage {
 public:
  // A report as docs/report.schema.json has it. Errors: it is none.
  Status add_report(const nlohmann::json& report);
  // A comparison as docs/compare.schema.json has it. Errors: it is none.
  Status set_comparison(const nlohmann::json& comparison);
  // A difference of two recordings, as `hap diff --format json` gives it. Errors: it is none.
  Status set_difference(const nlohmann::json& difference);

  Result<std::string> render() const;

 private:
  nlohmann::json without_repetition(const nlohmann::json& report);
  nlohmann::json with_numbered_records(const nlohmann::json& exposure);

  nlohmann::json reports_ = nlohmann::json::array();
  nlohmann::json comparison_;
  nlohmann::json difference_;
  // Long values that several reports share (conditions, permitted system calls), each once.
  nlohmann::json shared_ = nlohmann::json::array();
  std::unordered_map<std::string, size_t> shared_index_;
  // Records of the ledger that recordings exercise, each once, for most do the same ones.
  nlohmann::json exposed_ = nlohmann::json::array();
  std::unordered_map<std::string, size_t> exposed_index_;
  FunctionColumns functions_;
};

// One report, an array of reports, a comparison, a difference, or an object {"reports": [...],
// "comparison": {...}, "difference": {...}} with any of the three.
Result<std::string> render_html(const nlohmann::json& document);

}  // namespace hap::report
