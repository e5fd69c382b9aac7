#include "base/json_null.h"
#include "hap/compare.h"

namespace hap {
namespace {

using json = nlohmann::ordered_json;

json json_of(const RankedFigure& figure) {
  const Spread& spread = figure.spread;
  json entry{{"sandbox", figure.sandbox}, {"value", spread.mean}};
  entry["low"] = spread.interval ? json(spread.interval->low) : json(nullptr);
  entry["high"] = spread.interval ? json(spread.interval->high) : json(nullptr);
  entry["span"] = {{"low", figure.span.low}, {"high", figure.span.high}};
  entry["boots"] = spread.boots;
  entry["recordings"] = spread.repeats;
  entry["sd_within_boots"] = or_null(spread.within);
  entry["sd_between_boots"] = or_null(spread.between);
  entry["no_variation"] = spread.no_variation;
  entry["not_enough"] = text_or_null(spread.not_enough);
  return entry;
}

json json_of(const Ranking& ranking) {
  json order = json::array();
  for (const RankedFigure& figure : ranking.order) order.push_back(json_of(figure));
  json pairs = json::array();
  for (const PairProbability& pair : ranking.pairs) {
    pairs.push_back(
        {{"lower", pair.lower}, {"higher", pair.higher}, {"probability", or_null(pair.probability)}});
  }
  return {{"scope", to_string(ranking.scope)},    {"metric", ranking.metric},
          {"model", text_or_null(ranking.model)}, {"order", std::move(order)},
          {"unknown", ranking.unknown},           {"pairs", std::move(pairs)}};
}

json json_of(const WorkloadComparison& workload) {
  json rankings = json::array();
  for (const Ranking& ranking : workload.rankings) rankings.push_back(json_of(ranking));
  json agreement = json::array();
  for (const Agreement& entry : workload.agreement) {
    agreement.push_back(
        {{"scope", to_string(entry.scope)}, {"a", entry.a}, {"b", entry.b}, {"tau_b", or_null(entry.tau)}});
  }
  json pairs = json::array();
  for (const PairVerdict& pair : workload.pairs) {
    pairs.push_back({{"a", pair.a},
                     {"b", pair.b},
                     {"verdict", to_string(pair.verdict)},
                     {"a_below", pair.a_below},
                     {"b_below", pair.b_below},
                     {"not_told", pair.not_told},
                     {"a_lower_by_value", pair.a_lower},
                     {"b_lower_by_value", pair.b_lower}});
  }
  return {{"workload", workload.workload},      {"sandboxes", workload.sandboxes},
          {"recordings", workload.recordings},  {"rankings", std::move(rankings)},
          {"agreement", std::move(agreement)},  {"pairs", std::move(pairs)},
          {"conclusions", workload.conclusions}};
}

json json_of(const ReportSummary& input) {
  return {{"path", input.path},
          {"sandbox", input.sandbox},
          {"workload", input.workload},
          {"label", text_or_null(input.label)},
          {"collector", input.collector},
          {"kernel", text_or_null(input.kernel)},
          {"boot", text_or_null(input.boot)},
          {"steady_state", or_null(input.steady_state)},
          {"coverage", or_null(input.coverage)},
          {"events_lost", input.events_lost}};
}

}  // namespace

std::string render_json(const Comparison& comparison) {
  json models = json::array();
  for (const ModelDescription& model : comparison.models) {
    models.push_back({{"name", model.name}, {"source", model.source}});
  }
  json inputs = json::array();
  for (const ReportSummary& input : comparison.inputs) inputs.push_back(json_of(input));
  json workloads = json::array();
  for (const WorkloadComparison& workload : comparison.workloads) workloads.push_back(json_of(workload));
  const CompareOptions& options = comparison.options;
  const json document{{"schema", "hapmeter.compare/1"},
                      {"settings",
                       {{"confidence", options.confidence},
                        {"density_sigma", options.density_sigma},
                        {"popular_factor", options.popular_factor},
                        {"draws", options.draws},
                        {"seed", options.seed},
                        {"least_boots", kMinBoots}}},
                      {"models", std::move(models)},
                      {"workloads", std::move(workloads)},
                      {"conclusions", comparison.conclusions},
                      {"notes", comparison.notes},
                      {"inputs", std::move(inputs)}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace hap
