#include "cli/compare_page.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/user_ledger.h"
#include "hap/report.h"
#include "report/formats.h"
#include "report/html.h"
#include "report/permitted.h"

namespace hap::cli {
namespace {

using nlohmann::json;

// The reports in a file: one, or an array of them.
Result<json> reports_of(const std::string& file, const AnalysisOptions& options, const UserLedger& ledger) {
  if (file.size() > 4 && file.compare(file.size() - 4, 4, ".hap") == 0) {
    HAP_TRY(cell, open_trusted_cell(file, options));
    ReportOptions what;
    what.permitted = report::permitted_surface(cell.profile, cell.resolver);
    HAP_CHECK(ledger.add_to(what, file, cell));
    return json::array({json(report::to_json(make_report(cell.profile, file, what)))});
  }
  HAP_TRY(text, read_file(file));
  auto document = json::parse(text, nullptr, false);
  if (document.is_discarded()) return Error("not JSON", ErrorKind::corrupt).at(file);
  return document.is_array() ? document : json::array({document});
}

bool is_compared(const json& report, const Comparison& comparison) {
  const auto workload = report.is_object() ? report.find("workload") : report.end();
  if (workload == report.end() || !workload->is_string()) return true;
  return std::any_of(comparison.workloads.begin(), comparison.workloads.end(), [&](const auto& one) {
    return one.workload == workload->get_ref<const std::string&>();
  });
}

}  // namespace

Result<std::string> compare_page(const std::vector<std::string>& files, const Comparison& comparison,
                                 const AnalysisOptions& options, const Session& session) {
  report::HtmlPage page;
  const auto ledger = UserLedger::open_or_say();
  const auto progress = session.progress();
  progress->step("analysing " + std::to_string(files.size()) + " files for the page");
  for (size_t i = 0; i < files.size(); ++i) {
    const auto& file = files[i];
    progress->advance(i, files.size());
    HAP_CHECK(session.cancel.check());
    HAP_TRY(reports, reports_of(file, options, ledger));
    for (const auto& one : reports) {
      if (!is_compared(one, comparison)) continue;
      if (const auto added = page.add_report(one); !added) {
        const Error error = added.error();
        return Error(error).at(file);
      }
    }
  }
  progress->done();
  const auto document = json::parse(render_json(comparison), nullptr, false);
  HAP_CHECK(page.set_comparison(document));
  return page.render();
}

}  // namespace hap::cli
