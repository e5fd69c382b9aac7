// Profile -> Report. Every figure is a metric of a selection; nothing is computed twice in the formats.
#include <algorithm>
#include <charconv>

#include "hap/report.h"
#include "report/served_length.h"

namespace hap {
namespace {

std::optional<uint64_t> number(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class Maker {
 public:
  Maker(const Profile& profile, const ReportOptions& options)
      : profile_(profile),
        options_(options),
        uniform_(DensityModel::uniform()),
        density_(options.density == nullptr ? uniform_ : *options.density),
        metrics_(make_metrics()) {}

  Report make(const std::string& path);

 private:
  enum class Bounds { none, estimated };
  FigureSet figures(const Selection& selection, Bounds bounds) const;
  Selection select(const std::function<bool(const Account&)>& wanted) const {
    return profile_.select(wanted);
  }

  void add_identity(Report& report, const std::string& path) const;
  void add_figures(Report& report) const;
  void add_phases(Report& report) const;
  void add_parts(Report& report) const;
  void add_functions(Report& report) const;
  void add_functions_of(Report& report, Layer layer, Context context) const;
  std::vector<SubsystemReport> subsystems_of(const Selection& selection) const;
  void add_loss(Report& report) const;
  bool any(const std::function<bool(const Account&)>& wanted) const;

  const Profile& profile_;
  const ReportOptions& options_;
  DensityModel uniform_;
  const DensityModel& density_;
  std::vector<std::unique_ptr<Metric>> metrics_;
};

bool Maker::any(const std::function<bool(const Account&)>& wanted) const {
  const auto accounts = profile_.accounts();
  return std::any_of(accounts.begin(), accounts.end(), [&](const AccountTotal& total) {
    return total.serve_hits > 0 && wanted(total.account);
  });
}

FigureSet Maker::figures(const Selection& selection, Bounds bounds) const {
  UnseenCode unseen;
  if (bounds == Bounds::estimated) unseen = estimate_unseen_code(profile_, selection);
  MetricInput input{profile_, selection, bounds == Bounds::estimated ? &unseen : nullptr, &density_,
                    options_.known_cves};
  FigureSet set;
  for (const auto& metric : metrics_) set.metrics.emplace_back(metric->name(), metric->measure(input));
  return set;
}

void Maker::add_identity(Report& report, const std::string& path) const {
  report.path = path;
  report.meta = profile_.header().meta;
  report.conditions = profile_.header().conditions;
  report.requests = number(report.value("requests"));
  report.requests_failed = number(report.value("requests_failed"));
  report.density_model = density_.name();
  report.permitted = options_.permitted;
  report.exposure = options_.exposure;
  report.baseline = options_.baseline;
  report.length = report::length_of(profile_);
  report.guards = profile_.guards();
  report.accounts.assign(profile_.accounts().begin(), profile_.accounts().end());
}

void Maker::add_figures(Report& report) const {
  const auto hap = select([](const Account& account) { return counts_as_hap(account); });
  report.hap = figures(hap, Bounds::estimated);
  report.completeness = assess_completeness(function_incidence(profile_, hap));
  report.hap_with_softirq =
      figures(select([](const Account& account) { return counts_as_hap(account, {.with_softirq = true}); }),
              Bounds::estimated);
  report.hap_without_emulation = report.hap;
  if (any([](const Account& account) { return account.emulation; })) {
    report.hap_without_emulation = figures(
        select([](const Account& account) { return counts_as_hap(account, {.with_emulation = false}); }),
        Bounds::estimated);
  }
  report.vap = figures(select(counts_as_vap), Bounds::estimated);
  // A VMM that executes nothing of its own while serving is a stage of its own all the same: one of size 0.
  if (any(counts_as_stage1) || any(counts_as_stage2)) {
    report.stage1 = figures(select(counts_as_stage1), Bounds::estimated);
    report.stage2 = figures(select(counts_as_stage2), Bounds::estimated);
  }
  report.interrupts = figures(
      select([](const Account& account) { return account.standing == Standing::interrupt; }), Bounds::none);
  report.daemons = figures(
      select([](const Account& account) { return account.standing == Standing::daemon; }), Bounds::none);
}

void Maker::add_phases(Report& report) const {
  for (const Phase phase : {Phase::setup, Phase::serve, Phase::teardown}) {
    PhaseReport entry;
    entry.phase = phase;
    int64_t nanoseconds = 0;
    uint64_t requests = 0;
    for (const auto& window : profile_.windows()) {
      if (window.phase != phase) continue;
      ++entry.windows;
      nanoseconds += std::max<int64_t>(0, window.end_ns - window.start_ns);
      requests += window.requests;
    }
    if (entry.windows == 0) continue;
    entry.seconds = static_cast<double>(nanoseconds) / 1e9;
    if (phase == Phase::serve) entry.requests = requests;
    entry.hap = figures(profile_.select([](const Account& account) { return counts_as_hap(account); }, phase),
                        Bounds::none);
    report.phases.push_back(std::move(entry));
  }
}

void Maker::add_parts(Report& report) const {
  const auto add = [&](std::vector<NamedFigures>& into, std::string_view name,
                       const std::function<bool(const Account&)>& wanted) {
    if (!any(wanted)) return;
    const auto selection = select(wanted);
    NamedFigures part;
    part.name = name;
    part.figures = figures(selection, Bounds::none);
    part.blocks = profile_.blocks_hit(selection);
    part.unresolved_blocks = profile_.unresolved_blocks(selection);
    into.push_back(std::move(part));
  };
  for (const Layer layer : all_layers) {
    add(report.layers, to_string(layer),
        [layer](const Account& account) { return counts_as_vap(account) && account.layer == layer; });
  }
  for (const Context context : all_contexts) {
    add(report.contexts, to_string(context), [context](const Account& account) {
      const bool host = account.layer == Layer::host_kernel || account.layer == Layer::hypervisor;
      const bool inside = counts_as_vap(account) || account.standing == Standing::interrupt;
      return host && inside && account.context == context;
    });
  }
}

std::vector<SubsystemReport> Maker::subsystems_of(const Selection& selection) const {
  std::vector<SubsystemReport> all(profile_.subsystems().size());
  for (size_t i = 0; i < all.size(); ++i) all[i].name = profile_.subsystems()[i];
  for (const uint32_t id : profile_.functions_hit(selection)) {
    const auto& function = profile_.functions()[id];
    auto& entry = all[function.subsystem];
    ++entry.functions;
    if (function.lines) entry.function_lines = entry.function_lines.value_or(0) + *function.lines;
  }
  if (profile_.exact()) {
    for (const uint32_t id : profile_.lines_hit(selection)) {
      auto& entry = all[profile_.files()[profile_.lines()[id].file].subsystem];
      entry.executed_lines = entry.executed_lines.value_or(0) + 1;
    }
  }
  std::erase_if(all,
                [](const SubsystemReport& entry) { return entry.functions == 0 && !entry.executed_lines; });
  std::sort(all.begin(), all.end(), [](const SubsystemReport& a, const SubsystemReport& b) {
    return std::tuple(b.executed_lines.value_or(0), b.functions, a.name) <
           std::tuple(a.executed_lines.value_or(0), a.functions, b.name);
  });
  return all;
}

void Maker::add_functions_of(Report& report, Layer layer, Context context) const {
  const auto wanted = [&](const Account& account) {
    // Soft interrupts that nobody owns would pass for the sandbox's; they are in `interrupts` only.
    const bool beside = account.standing == Standing::interrupt && context != Context::softirq;
    return account.layer == layer && account.context == context && (counts_as_vap(account) || beside);
  };
  if (!any(wanted)) return;
  const auto selection = select(wanted);
  const auto real = select([&](const Account& account) { return wanted(account) && !account.emulation; });
  const auto lines = profile_.lines_by_function(selection);
  const auto bytes = profile_.bytes_by_function(selection);
  const auto functions = profile_.functions();

  const auto add = [&](uint32_t id, bool inlined) {
    const auto& function = functions[id];
    FunctionReport entry;
    entry.name = function.name;
    entry.file = function.file;
    if (function.line != 0) entry.line = function.line;
    entry.lines = function.lines;
    entry.complexity = inlined ? std::nullopt : function.complexity;
    if (profile_.exact()) {
      if (lines[id] > 0) entry.executed_lines = lines[id];
      if (!inlined) entry.bytes = bytes[id];
    }
    entry.layer = layer;
    entry.context = context;
    entry.hits = static_cast<uint32_t>(profile_.windows_of_function(id, selection, inlined).size());
    entry.subsystem = profile_.subsystems()[function.subsystem];
    entry.image = profile_.images()[function.image].path;
    entry.inlined = inlined;
    entry.label = function.label;
    entry.emulation = profile_.windows_of_function(id, real, inlined).empty();
    report.functions.push_back(std::move(entry));
  };
  const auto hit = profile_.functions_hit(selection);
  for (const uint32_t id : hit) add(id, false);
  for (const uint32_t id : profile_.labels_hit(selection)) add(id, false);
  for (const uint32_t id : profile_.functions_inlined(selection)) {
    if (!std::binary_search(hit.begin(), hit.end(), id)) add(id, true);
  }
}

void Maker::add_functions(Report& report) const {
  for (const Layer layer : all_layers) {
    for (const Context context : all_contexts) add_functions_of(report, layer, context);
  }
}

void Maker::add_loss(Report& report) const {
  for (const auto& loss : profile_.header().losses) {
    if (loss.kind == "events_lost") {
      report.loss.events_lost = report.loss.events_lost.value_or(0) + loss.count;
    } else {
      report.loss.others.push_back(loss);
    }
  }
  report.loss.unobservable_functions = profile_.header().unobservable.size();
  report.loss.unresolved_addresses =
      profile_.unresolved_blocks(select([](const Account& account) { return counts_as_hap(account); }));
  for (const auto& image : profile_.images()) {
    if (!image.indexed && !image.why_not.empty())
      report.loss.without_symbols.push_back({image.path, image.why_not});
  }
}

Report Maker::make(const std::string& path) {
  Report report;
  add_identity(report, path);
  add_figures(report);
  add_phases(report);
  add_parts(report);
  report.subsystems = subsystems_of(select([](const Account& account) { return counts_as_hap(account); }));
  report.subsystems_with_softirq = subsystems_of(
      select([](const Account& account) { return counts_as_hap(account, {.with_softirq = true}); }));
  add_functions(report);
  add_loss(report);
  return report;
}

}  // namespace

const Measurement* FigureSet::find(std::string_view name) const {
  for (const auto& [known, measurement] : metrics) {
    if (known == name) return &measurement;
  }
  return nullptr;
}

std::optional<double> FigureSet::value(std::string_view name) const {
  const Measurement* found = find(name);
  if (found == nullptr || !found->value) return std::nullopt;
  return found->value->value;
}

std::string Report::value(const std::string& key) const {
  const auto found = meta.find(key);
  return found == meta.end() ? std::string() : found->second;
}

Report make_report(const Profile& profile, const std::string& path, const ReportOptions& options) {
  return Maker(profile, options).make(path);
}

}  // namespace hap
