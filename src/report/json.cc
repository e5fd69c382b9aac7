#include <cmath>

#include "base/json_null.h"
#include "ledger/exposure_format.h"
#include "report/formats.h"

namespace hap::report {
namespace {

using json = nlohmann::ordered_json;

// Counts as integers, so that a reader need not round.
json number_of(double value) {
  if (value == std::floor(value) && std::abs(value) < 9e15) return static_cast<int64_t>(value);
  return std::round(value * 1000) / 1000;
}

json figure_of(const Measurement& figure) {
  if (!figure.value) return nullptr;
  json object{{"value", number_of(figure.value->value)},
              {"low", number_of(figure.value->low)},
              {"high", number_of(std::ceil(figure.value->high * 1000) / 1000)}};
  if (figure.unknown > 0) object["functions_unknown"] = figure.unknown;
  return object;
}

json figures_of(const FigureSet& set) {
  json object = json::object();
  for (const auto& [name, figure] : set.metrics) {
    if (name != "known_cves") object[name] = figure_of(figure);
  }
  return object;
}

// Parts have plain numbers: no estimate of unseen code is made for them.
void add_plain_figures(json& object, const FigureSet& set) {
  for (const auto& [name, figure] : set.metrics) {
    if (name == "known_cves" || name == "expected_bugs") continue;
    object[name] = figure.value ? number_of(figure.value->value) : json(nullptr);
  }
}

json part_of(const NamedFigures& part) {
  json object{{"name", part.name}};
  add_plain_figures(object, part.figures);
  object["blocks"] = part.blocks;
  object["unresolved_blocks"] = part.unresolved_blocks;
  return object;
}

json phase_of(const PhaseReport& phase) {
  json object{{"name", to_string(phase.phase)},
              {"windows", phase.windows},
              {"seconds", or_null(phase.seconds)},
              {"requests", or_null(phase.requests)}};
  json hap = json::object();
  add_plain_figures(hap, phase.hap);
  object["hap"] = std::move(hap);
  return object;
}

json subsystems_of(const std::vector<SubsystemReport>& subsystems) {
  json array = json::array();
  for (const auto& each : subsystems) {
    array.push_back({{"name", each.name},
                     {"functions", each.functions},
                     {"function_lines", or_null(each.function_lines)},
                     {"executed_lines", or_null(each.executed_lines)}});
  }
  return array;
}

json function_of(const FunctionReport& function) {
  json object{{"name", function.name},
              {"file", text_or_null(function.file)},
              {"line", or_null(function.line)},
              {"lines", or_null(function.lines)},
              {"executed_lines", or_null(function.executed_lines)},
              {"bytes", or_null(function.bytes)},
              {"complexity", or_null(function.complexity)},
              {"layer", to_string(function.layer)},
              {"context", to_string(function.context)},
              {"hits", function.hits},
              {"subsystem", function.subsystem},
              {"image", function.image}};
  if (function.inlined) object["inlined"] = true;
  if (function.label) object["label"] = true;
  if (function.emulation) object["emulation"] = true;
  return object;
}

json completeness_of(const Completeness& completeness) {
  json warnings = json::array();
  for (const auto warning : completeness.warnings) warnings.push_back(describe(warning));
  json object{{"steady_state", or_null(completeness.steady_state)},
              {"coverage", or_null(completeness.coverage)}};
  if (completeness.unseen) {
    object["unseen_functions"] = {{"value", number_of(completeness.unseen->value)},
                                  {"low", number_of(completeness.unseen->low)},
                                  {"high", number_of(completeness.unseen->high)}};
  } else {
    object["unseen_functions"] = nullptr;
  }
  object["dispersion"] = completeness.unseen ? json(completeness.unseen->dispersion) : json(nullptr);
  object["windows"] = completeness.windows;
  json sizes = json::array();
  for (const auto& size : completeness.invariance.sizes) {
    sizes.push_back({{"merged", size.merged},
                     {"windows", size.windows},
                     {"unseen",
                      {{"value", number_of(size.unseen.value)},
                       {"low", number_of(size.unseen.low)},
                       {"high", number_of(size.unseen.high)}}},
                     {"p_value", size.p_value}});
  }
  object["window_sizes"] = std::move(sizes);
  object["invariant"] =
      completeness.invariance.checked ? json(completeness.invariance.invariant) : json(nullptr);
  if (completeness.growth) {
    object["growth_x4"] = {{"value", number_of(completeness.growth->value)},
                           {"low", number_of(completeness.growth->low)},
                           {"high", number_of(completeness.growth->high)}};
  } else {
    object["growth_x4"] = nullptr;
  }
  json curve = json::array();
  for (const double point : completeness.curve) curve.push_back(std::round(point * 10) / 10);
  object["accumulation"] = std::move(curve);
  object["warnings"] = std::move(warnings);
  return object;
}

json interval_of(const Interval& interval) {
  return {{"value", number_of(interval.value)},
          {"low", number_of(interval.low)},
          {"high", number_of(interval.high)}};
}

json length_of(const LengthReport& length) {
  json late = json::array();
  for (const LateArrival& arrival : length.late) {
    late.push_back({{"window", arrival.window},
                    {"seconds", number_of(arrival.seconds)},
                    {"functions", arrival.functions},
                    {"deferred_work", arrival.deferred},
                    {"known_from_interrupts", arrival.known},
                    {"names", arrival.names}});
  }
  json object{{"until", text_or_null(length.until)}, {"verdict", text_or_null(length.verdict)}};
  object["waiting_for"] = text_or_null(length.waiting_for);
  object["windows"] = length.windows == 0 ? json(nullptr) : json(length.windows);
  object["all_windows"] = length.all_windows;
  object["growth_foretold"] = length.foretold ? interval_of(*length.foretold) : json(nullptr);
  object["functions_added"] = or_null(length.added);
  object["functions_added_deferred"] = length.added_deferred;
  object["functions_added_known"] = length.added_known;
  object["late_arrivals"] = std::move(late);
  return object;
}

json baseline_of(const BaselineReport& baseline) {
  const BaselineComparison& all = baseline.comparison;
  json functions = json::array();
  for (std::size_t i = 0; i < all.functions.size(); ++i) {
    const BaselineFunction& function = all.functions[i];
    functions.push_back(
        {{"name", function.function},
         {"file", text_or_null(baseline.files[i])},
         {"windows", function.seen_working},
         {"idle_windows", function.seen_idle},
         {"ratio",
          {{"value", number_of(function.ratio.value)},
           {"low", number_of(function.ratio.low)},
           {"high", function.ratio.high ? json(number_of(*function.ratio.high)) : json(nullptr)}}},
         {"origin", to_string(function.origin)}});
  }
  json object{{"recording", baseline.path}};
  object["windows"] = {{"count", baseline.working.windows}, {"seconds", number_of(baseline.working.seconds)}};
  object["idle_windows"] = {{"count", baseline.idle.windows}, {"seconds", number_of(baseline.idle.seconds)}};
  object["workload"] = all.workload;
  object["background"] = all.background;
  object["undecided"] = all.undecided;
  object["only_idle"] = all.only_idle;
  object["attributable"] = interval_of(all.attributable);
  object["functions"] = std::move(functions);
  return object;
}

json loss_of(const LossReport& loss) {
  json others = json::array();
  for (const auto& each : loss.others) {
    others.push_back({{"kind", each.kind}, {"count", each.count}, {"detail", text_or_null(each.detail)}});
  }
  json without = json::array();
  for (const auto& image : loss.without_symbols) {
    without.push_back({{"image", image.path}, {"why", image.why_no_symbols}});
  }
  return {{"events_lost", or_null(loss.events_lost)},
          {"unobservable_functions", loss.unobservable_functions},
          {"unresolved_addresses", loss.unresolved_addresses},
          {"others", std::move(others)},
          {"images_without_symbols", std::move(without)}};
}

json guards_of(const std::vector<Guard>& guards) {
  json array = json::array();
  for (const auto& guard : guards) {
    const char* const outcome = guard.outcome == Guard::Outcome::passed   ? "passed"
                                : guard.outcome == Guard::Outcome::failed ? "failed"
                                                                          : "unknown";
    array.push_back({{"name", guard.name}, {"outcome", outcome}, {"detail", guard.detail}});
  }
  return array;
}

json accounts_of(const std::vector<AccountTotal>& accounts) {
  json array = json::array();
  for (const auto& [account, hits, serve_hits] : accounts) {
    array.push_back({{"layer", to_string(account.layer)},
                     {"context", to_string(account.context)},
                     {"role", to_string(account.role)},
                     {"standing", to_string(account.standing)},
                     {"emulation", account.emulation},
                     {"hits", hits},
                     {"serve_hits", serve_hits}});
  }
  return array;
}

void add_identity(json& object, const Report& report) {
  object["schema"] = "hapmeter.report/1";
  for (const auto* key :
       {"sandbox", "workload", "profile", "collector", "granularity", "created", "tool_version", "label"}) {
    object[key] = text_or_null(report.value(key));
  }
  object["recording"] = report.path;
  object["boot"] = text_or_null(report.value("boot"));
  object["repeat"] = text_or_null(report.value("repeat"));
  object["kernel"] = {{"release", text_or_null(report.value("kernel_release"))},
                      {"build_id", text_or_null(report.value("kernel_build_id"))}};
}

}  // namespace

json to_json(const Report& report) {
  json object;
  add_identity(object, report);
  json phases = json::array();
  uint64_t windows = 0;
  for (const auto& phase : report.phases) {
    phases.push_back(phase_of(phase));
    if (phase.phase == Phase::serve) windows = phase.windows;
  }
  object["phases"] = std::move(phases);
  object["windows"] = windows;
  object["served"] = {{"requests", or_null(report.requests)}, {"failed", or_null(report.requests_failed)}};
  object["hap"] = figures_of(report.hap);
  object["hap_with_softirq"] = figures_of(report.hap_with_softirq);
  object["hap_without_emulation"] = figures_of(report.hap_without_emulation);
  object["vap"] = figures_of(report.vap);
  object["stage1"] = report.stage1 ? figures_of(*report.stage1) : json(nullptr);
  object["stage2"] = report.stage2 ? figures_of(*report.stage2) : json(nullptr);
  if (report.permitted) {
    json permitted = {{"syscalls", or_null(report.permitted->syscalls)},
                      {"functions", or_null(report.permitted->functions)}};
    if (report.permitted->exits) {  // a virtual machine
      permitted["exits"] = or_null(report.permitted->exits);
      permitted["exit_functions"] = or_null(report.permitted->exit_functions);
      permitted["ioctl_functions"] = or_null(report.permitted->ioctl_functions);
    }
    if (report.permitted->hypercalls) {  // a guest of Xen
      permitted["hypercalls"] = or_null(report.permitted->hypercalls);
      permitted["hypercall_functions"] = or_null(report.permitted->hypercall_functions);
    }
    object["permitted"] = std::move(permitted);
  } else {
    object["permitted"] = nullptr;
  }
  const Measurement* cves = report.hap.find("known_cves");
  object["known_cves"] = cves == nullptr ? json(nullptr) : figure_of(*cves);
  if (report.exposure) object["exposure"] = ledger::exposure_object(*report.exposure);
  object["expected_bugs_model"] = report.density_model;
  json interrupts = json::object();
  add_plain_figures(interrupts, report.interrupts);
  json daemons = json::object();
  add_plain_figures(daemons, report.daemons);
  object["beside"] = {{"interrupts", std::move(interrupts)}, {"host_daemons", std::move(daemons)}};
  object["conditions"] = json(report.conditions);
  json layers = json::array();
  for (const auto& part : report.layers) layers.push_back(part_of(part));
  object["layers"] = std::move(layers);
  json contexts = json::array();
  for (const auto& part : report.contexts) contexts.push_back(part_of(part));
  object["contexts"] = std::move(contexts);
  object["subsystems"] = subsystems_of(report.subsystems);
  object["subsystems_with_softirq"] = subsystems_of(report.subsystems_with_softirq);
  json functions = json::array();
  for (const auto& function : report.functions) functions.push_back(function_of(function));
  object["functions"] = std::move(functions);
  object["completeness"] = completeness_of(report.completeness);
  object["length"] = length_of(report.length);
  if (report.baseline) object["baseline"] = baseline_of(*report.baseline);
  object["loss"] = loss_of(report.loss);
  object["guards"] = guards_of(report.guards);
  object["accounts"] = accounts_of(report.accounts);
  return object;
}

std::string render_json(const std::vector<Report>& reports) {
  json document = json::array();
  for (const auto& report : reports) document.push_back(to_json(report));
  // Names of the measured system need not be UTF-8.
  return (reports.size() == 1 ? document[0] : document).dump(1, ' ', false, json::error_handler_t::replace) +
         "\n";
}

}  // namespace hap::report
