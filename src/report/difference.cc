#include "report/difference.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "hap/metric.h"

namespace hap::report {
namespace {

struct Seen {
  std::optional<uint32_t> lines;
  uint32_t executed = 0;
  uint32_t windows = 0;
};
using Key = std::pair<std::string, std::string>;  // name, file

Selection selection_of(const Profile& profile, const DifferenceOptions& options) {
  const HapOptions hap{.with_softirq = options.with_softirq};
  return profile.select([&](const Account& account) { return counts_as_hap(account, hap); }, options.phase);
}

std::map<Key, Seen> functions_of(const Profile& profile, const Selection& selection) {
  std::map<Key, Seen> all;
  const auto executed = profile.lines_by_function(selection);
  for (const uint32_t id : profile.functions_hit(selection)) {
    const auto& function = profile.functions()[id];
    auto& entry = all[{function.name, function.file}];
    entry.lines = function.lines;
    entry.executed += executed[id];
    entry.windows =
        std::max(entry.windows, static_cast<uint32_t>(profile.windows_of_function(id, selection).size()));
  }
  return all;
}

void add_folders(const Profile& profile, const Selection& selection, bool before,
                 std::map<std::string, FolderChange>& folders) {
  for (const uint32_t id : profile.functions_hit(selection)) {
    auto& folder = folders[profile.subsystems()[profile.functions()[id].subsystem]];
    ++(before ? folder.functions_before : folder.functions_after);
  }
  for (const uint32_t id : profile.lines_hit(selection)) {
    auto& folder = folders[profile.subsystems()[profile.files()[profile.lines()[id].file].subsystem]];
    ++(before ? folder.lines_before : folder.lines_after);
  }
}

Side side_of(const Profile& profile, const std::string& path, const Selection& selection) {
  return {path, profile.meta("sandbox"), profile.meta("workload"), profile.meta("kernel_release"),
          Profile::window_count(selection)};
}

FunctionChange change_of(const Key& key, const Seen* before, const Seen* after) {
  FunctionChange change;
  change.name = key.first;
  change.file = key.second;
  change.lines = after != nullptr ? after->lines : before->lines;
  if (before != nullptr) {
    change.lines_before = before->executed;
    change.windows_before = before->windows;
  }
  if (after != nullptr) {
    change.lines_after = after->executed;
    change.windows_after = after->windows;
  }
  return change;
}

void add_functions(Difference& difference, const std::map<Key, Seen>& before,
                   const std::map<Key, Seen>& after) {
  for (const auto& [key, seen] : before) {
    const auto other = after.find(key);
    if (other == after.end()) {
      difference.only_before.push_back(change_of(key, &seen, nullptr));
      continue;
    }
    ++difference.in_both;
    if (seen.executed != other->second.executed) {
      difference.changed.push_back(change_of(key, &seen, &other->second));
    }
  }
  for (const auto& [key, seen] : after) {
    if (!before.contains(key)) difference.only_after.push_back(change_of(key, nullptr, &seen));
  }
}

}  // namespace

std::optional<double> MetricChange::relative() const {
  if (!before || !after || *before == 0) return std::nullopt;
  return *after / *before - 1;
}

Difference make_difference(const Profile& before, const std::string& before_path, const Profile& after,
                           const std::string& after_path, const DifferenceOptions& options) {
  Difference difference;
  difference.options = options;
  const auto was = selection_of(before, options);
  const auto is = selection_of(after, options);
  difference.before = side_of(before, before_path, was);
  difference.after = side_of(after, after_path, is);
  const auto density = DensityModel::uniform();
  for (const auto& metric : make_metrics()) {
    if (metric->name() == "known_cves") continue;
    MetricChange change;
    change.metric = metric->name();
    const auto old_value = metric->measure({before, was, nullptr, &density, std::nullopt}).value;
    const auto new_value = metric->measure({after, is, nullptr, &density, std::nullopt}).value;
    if (old_value) change.before = old_value->value;
    if (new_value) change.after = new_value->value;
    difference.metrics.push_back(std::move(change));
  }
  std::map<std::string, FolderChange> folders;
  add_folders(before, was, true, folders);
  add_folders(after, is, false, folders);
  for (auto& [name, folder] : folders) {
    if (folder.lines_before == folder.lines_after && folder.functions_before == folder.functions_after)
      continue;
    folder.name = name;
    difference.folders.push_back(folder);
  }
  const auto size = [](const FolderChange& folder) {
    return std::max(folder.lines_after, folder.lines_before) -
           std::min(folder.lines_after, folder.lines_before);
  };
  std::stable_sort(difference.folders.begin(), difference.folders.end(),
                   [&](const auto& a, const auto& b) { return size(a) > size(b); });
  add_functions(difference, functions_of(before, was), functions_of(after, is));
  return difference;
}

Result<Threshold> parse_threshold(const std::string& text) {
  const auto wrong = [&](const std::string& why) {
    return Error("threshold \"" + text + "\": " + why, ErrorKind::usage)
        .hint("write METRIC>CHANGE, for example functions>+5% or executed_lines>+100");
  };
  const size_t sign = text.find('>');
  if (sign == std::string::npos) return wrong("there is no >");
  Threshold threshold;
  threshold.text = text;
  threshold.metric = text.substr(0, sign);
  const auto metrics = make_metrics();
  if (std::none_of(metrics.begin(), metrics.end(), [&](const auto& metric) {
        return metric->name() == threshold.metric && threshold.metric != "known_cves";
      })) {
    return wrong("there is no such metric");
  }
  std::string number = text.substr(sign + 1);
  if (!number.empty() && number.back() == '%') {
    threshold.percent = true;
    number.pop_back();
  }
  if (!number.empty() && number.front() == '+') number.erase(0, 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), threshold.limit);
  if (number.empty() || error != std::errc() || end != number.data() + number.size() ||
      !std::isfinite(threshold.limit)) {
    return wrong("the change is not a number");
  }
  return threshold;
}

std::optional<bool> exceeded(const Threshold& threshold, const Difference& difference) {
  for (const auto& change : difference.metrics) {
    if (change.metric != threshold.metric) continue;
    if (!change.before || !change.after) return std::nullopt;
    if (!threshold.percent) return *change.after - *change.before > threshold.limit;
    // From nothing to something is more than any percentage.
    if (*change.before == 0) return *change.after > 0;
    return 100 * *change.relative() > threshold.limit;
  }
  return std::nullopt;
}

}  // namespace hap::report
