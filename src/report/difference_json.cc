// A difference as JSON: docs/diff.schema.json.
#include <cmath>

#include "report/difference.h"

namespace hap::report {
namespace {

using json = nlohmann::ordered_json;

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json number_of(const std::optional<double>& value) {
  if (!value) return nullptr;
  if (*value == std::floor(*value)) return static_cast<int64_t>(*value);
  return std::round(*value * 1000) / 1000;
}

json side_of(const Side& side) {
  return {{"recording", side.path},
          {"sandbox", side.sandbox},
          {"workload", side.workload},
          {"kernel", side.kernel},
          {"windows", side.windows}};
}

json entries_of(const Origin& origin, bool syscalls) {
  json names = json::array();
  for (const auto& entry : origin.entries) {
    if (entry.syscall == syscalls) names.push_back(entry.name);
  }
  return names;
}

json functions_of(const std::vector<FunctionChange>& functions) {
  json array = json::array();
  for (const auto& each : functions) {
    array.push_back({{"name", each.name},
                     {"file", each.file.empty() ? json(nullptr) : json(each.file)},
                     {"subsystem", each.subsystem},
                     {"lines", or_null(each.lines)},
                     {"executed_lines_before", or_null(each.lines_before)},
                     {"executed_lines_after", or_null(each.lines_after)},
                     {"windows_before", each.windows_before},
                     {"windows_after", each.windows_after},
                     {"contexts", each.origin.contexts},
                     {"syscalls", entries_of(each.origin, true)},
                     {"entries", entries_of(each.origin, false)}});
  }
  return array;
}

json metric_of(const MetricChange& change) {
  const bool known = change.before && change.after;
  const auto relative = change.relative();
  return {{"metric", change.metric},
          {"before", number_of(change.before)},
          {"after", number_of(change.after)},
          {"change", known ? number_of(*change.after - *change.before) : nullptr},
          {"percent", relative ? number_of(100 * *relative) : nullptr}};
}

json folder_of(const FolderChange& folder) {
  return {{"name", folder.name},
          {"functions_before", folder.functions_before},
          {"functions_after", folder.functions_after},
          {"functions_gained", folder.functions_gained},
          {"functions_lost", folder.functions_lost},
          {"executed_lines_before", or_null(folder.lines_before)},
          {"executed_lines_after", or_null(folder.lines_after)},
          {"lines_gained", or_null(folder.lines_gained)},
          {"lines_lost", or_null(folder.lines_lost)},
          {"contexts", folder.origin.contexts},
          {"syscalls", entries_of(folder.origin, true)},
          {"entries", entries_of(folder.origin, false)}};
}

}  // namespace

json to_json(const Difference& difference) {
  json object;
  object["schema"] = "hapmeter.diff/1";
  object["figure"] = difference.options.with_softirq ? "hap_with_softirq" : "hap";
  object["phase"] = to_string(difference.options.phase);
  object["before"] = side_of(difference.before);
  object["after"] = side_of(difference.after);
  object["same_kernel"] = difference.same_kernel;
  object["metrics"] = json::array();
  for (const auto& change : difference.metrics) object["metrics"].push_back(metric_of(change));
  object["subsystems"] = json::array();
  for (const auto& folder : difference.folders) object["subsystems"].push_back(folder_of(folder));
  object["syscalls"] = {{"only_before", difference.syscalls_only_before},
                        {"only_after", difference.syscalls_only_after}};
  object["functions_in_both"] = difference.in_both;
  object["only_before"] = functions_of(difference.only_before);
  object["only_after"] = functions_of(difference.only_after);
  object["changed"] = functions_of(difference.changed);
  return object;
}

}  // namespace hap::report
