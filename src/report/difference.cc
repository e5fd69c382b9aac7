#include "report/difference.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "hap/metric.h"

namespace hap::report {
namespace {

using Key = std::pair<std::string, std::string>;        // function and file
using LineKey = std::pair<std::string_view, uint32_t>;  // file and line

struct Seen {
  std::string subsystem;
  std::optional<uint32_t> lines;
  std::optional<uint32_t> executed;
  uint32_t windows = 0;
  Origin origin;
};

// What one recording has of the figure that is compared.
class View {
 public:
  View(const Compared& compared, const DifferenceOptions& options)
      : compared_(compared),
        wanted_([hap = HapOptions{.with_softirq = options.with_softirq}](const Account& account) {
          return counts_as_hap(account, hap);
        }),
        selection_(compared.profile.select(wanted_, options.phase)),
        origins_(compared.profile, compared.resolver, wanted_, options.phase) {}

  const Profile& profile() const { return compared_.profile; }
  const Selection& selection() const { return selection_; }
  const std::vector<std::string>& syscalls() const { return origins_.syscalls(); }

  Side side() const {
    return {compared_.path, profile().meta("sandbox"), profile().meta("workload"),
            profile().meta("kernel_release"), Profile::window_count(selection_)};
  }
  std::optional<double> figure(const Metric& metric) const {
    const auto density = DensityModel::uniform();
    const auto measured = metric.measure({profile(), selection_, nullptr, &density, compared_.known_cves});
    return measured.value ? std::optional(measured.value->value) : std::nullopt;
  }
  std::map<Key, Seen> functions() const;
  // Executed lines by source folder.
  std::map<std::string, std::set<LineKey>> lines() const;

 private:
  const Compared& compared_;
  std::function<bool(const Account&)> wanted_;
  Selection selection_;
  Origins origins_;
};

std::map<Key, Seen> View::functions() const {
  std::map<Key, Seen> all;
  const auto executed = profile().lines_by_function(selection_);
  for (const uint32_t id : profile().functions_hit(selection_)) {
    const auto& function = profile().functions()[id];
    auto& entry = all[{function.name, function.file}];
    entry.subsystem = profile().subsystems()[function.subsystem];
    entry.lines = function.lines;
    if (profile().exact()) entry.executed = entry.executed.value_or(0) + executed[id];
    entry.windows =
        std::max(entry.windows, static_cast<uint32_t>(profile().windows_of_function(id, selection_).size()));
    entry.origin = origins_.of(id);
  }
  return all;
}

std::map<std::string, std::set<LineKey>> View::lines() const {
  std::map<std::string, std::set<LineKey>> folders;
  for (const uint32_t id : profile().lines_hit(selection_)) {
    const auto& line = profile().lines()[id];
    const auto& file = profile().files()[line.file];
    folders[profile().subsystems()[file.subsystem]].emplace(file.path, line.line);
  }
  return folders;
}

FunctionChange change_of(const Key& key, const Seen* before, const Seen* after) {
  FunctionChange change;
  const Seen& known = after != nullptr ? *after : *before;
  change.name = key.first;
  change.file = key.second;
  change.subsystem = known.subsystem;
  change.lines = known.lines;
  change.origin = known.origin;
  // What did not run executed no lines, where lines can be told at all.
  const auto nothing = known.executed ? std::optional<uint32_t>(0) : std::nullopt;
  change.lines_before = before != nullptr ? before->executed : nothing;
  change.lines_after = after != nullptr ? after->executed : nothing;
  change.windows_before = before != nullptr ? before->windows : 0;
  change.windows_after = after != nullptr ? after->windows : 0;
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

// Contexts in their order, entries by how many of the functions they lead to.
Origin origin_of(const std::vector<const FunctionChange*>& functions) {
  std::set<std::string> contexts;
  std::map<std::pair<std::string, bool>, size_t> entries;
  for (const auto* each : functions) {
    contexts.insert(each->origin.contexts.begin(), each->origin.contexts.end());
    for (const auto& entry : each->origin.entries) ++entries[{entry.name, entry.syscall}];
  }
  Origin origin;
  for (const Context context : all_contexts) {
    if (contexts.contains(std::string(to_string(context)))) origin.contexts.emplace_back(to_string(context));
  }
  for (const auto& [entry, count] : entries) origin.entries.push_back({entry.first, entry.second});
  std::stable_sort(origin.entries.begin(), origin.entries.end(), [&](const Entry& a, const Entry& b) {
    return entries.at({a.name, a.syscall}) > entries.at({b.name, b.syscall});
  });
  return origin;
}

uint64_t missing_from(const std::set<LineKey>& lines, const std::set<LineKey>& from) {
  return static_cast<uint64_t>(
      std::count_if(from.begin(), from.end(), [&](const LineKey& line) { return !lines.contains(line); }));
}

void add_folder_lines(const View& before, const View& after, bool same_kernel,
                      std::map<std::string, FolderChange>& folders) {
  auto was = before.lines();
  auto is = after.lines();
  for (const auto* one : {&was, &is}) {
    for (const auto& [name, lines] : *one) folders.try_emplace(name);
  }
  for (auto& [name, folder] : folders) {
    if (before.profile().exact()) folder.lines_before = was[name].size();
    if (after.profile().exact()) folder.lines_after = is[name].size();
    if (!same_kernel || !folder.lines_before || !folder.lines_after) continue;
    folder.lines_gained = missing_from(was[name], is[name]);
    folder.lines_lost = missing_from(is[name], was[name]);
  }
}

uint64_t size_of(const FolderChange& folder) {
  if (folder.lines_gained && folder.lines_lost) return *folder.lines_gained + *folder.lines_lost;
  return folder.functions_gained + folder.functions_lost;
}

void add_folders(Difference& difference, const View& before, const View& after) {
  std::map<std::string, FolderChange> folders;
  std::map<std::string, std::vector<const FunctionChange*>> changed;
  for (const auto* view : {&before, &after}) {
    const Profile& profile = view->profile();
    for (const uint32_t id : profile.functions_hit(view->selection())) {
      auto& folder = folders[profile.subsystems()[profile.functions()[id].subsystem]];
      ++(view == &before ? folder.functions_before : folder.functions_after);
    }
  }
  for (const auto& each : difference.only_before) {
    ++folders[each.subsystem].functions_lost;
    changed[each.subsystem].push_back(&each);
  }
  for (const auto& each : difference.only_after) {
    ++folders[each.subsystem].functions_gained;
    changed[each.subsystem].push_back(&each);
  }
  for (const auto& each : difference.changed) changed[each.subsystem].push_back(&each);
  add_folder_lines(before, after, difference.same_kernel, folders);
  for (auto& [name, folder] : folders) {
    const bool same_lines = folder.lines_before == folder.lines_after && folder.lines_gained.value_or(0) == 0;
    if (same_lines && folder.functions_gained == 0 && folder.functions_lost == 0) continue;
    folder.name = name;
    folder.origin = origin_of(changed[name]);
    difference.folders.push_back(folder);
  }
  std::stable_sort(difference.folders.begin(), difference.folders.end(),
                   [](const auto& a, const auto& b) { return size_of(a) > size_of(b); });
}

std::vector<std::string> only_in(const std::vector<std::string>& these,
                                 const std::vector<std::string>& others) {
  std::vector<std::string> only;
  std::set_difference(these.begin(), these.end(), others.begin(), others.end(), std::back_inserter(only));
  return only;
}

}  // namespace

std::optional<double> MetricChange::relative() const {
  if (!before || !after || *before == 0) return std::nullopt;
  return *after / *before - 1;
}

Difference make_difference(const Compared& before, const Compared& after, const DifferenceOptions& options) {
  const View was(before, options);
  const View is(after, options);
  Difference difference;
  difference.options = options;
  difference.before = was.side();
  difference.after = is.side();
  const auto build = was.profile().meta("kernel_build_id");
  difference.same_kernel = !build.empty() && build == is.profile().meta("kernel_build_id");
  for (const auto& metric : make_metrics()) {
    difference.metrics.push_back({std::string(metric->name()), was.figure(*metric), is.figure(*metric)});
  }
  add_functions(difference, was.functions(), is.functions());
  add_folders(difference, was, is);
  difference.syscalls_only_before = only_in(was.syscalls(), is.syscalls());
  difference.syscalls_only_after = only_in(is.syscalls(), was.syscalls());
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
  if (std::none_of(metrics.begin(), metrics.end(),
                   [&](const auto& metric) { return metric->name() == threshold.metric; })) {
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
