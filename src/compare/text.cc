#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hap/compare.h"

namespace hap {
namespace {

constexpr std::size_t kWidth = 100;

// Wraps at spaces; lines after the first are indented.
void wrap(std::string& out, const std::string& text, std::size_t first_indent, std::size_t indent) {
  std::string line(first_indent, ' ');
  bool empty = true;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    at = end + 1;
    if (!empty && line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line.assign(indent, ' ');
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
  }
  out += line + "\n";
}

std::string number(double value) {
  if (std::abs(value) >= 100 || value == std::round(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{:.{}f}", value, std::abs(value) >= 10 ? 1 : 2);
}

// "1234 [1200..1300]": the interval from boots and repeats where there is one, otherwise in parentheses what
// losses and unseen code allow: "1234 (1234..1250)".
std::string cell(const Ranking& ranking, const std::string& sandbox) {
  for (const RankedFigure& figure : ranking.order) {
    if (figure.sandbox != sandbox) continue;
    if (const auto& interval = figure.spread.interval) {
      return fmt::format("{} [{}..{}]", number(interval->value), number(interval->low),
                         number(interval->high));
    }
    return fmt::format("{} ({}..{})", number(figure.span.value), number(figure.span.low),
                       number(figure.span.high));
  }
  return "unknown";
}

std::vector<const Ranking*> of_scope(const WorkloadComparison& workload, Scope scope) {
  std::vector<const Ranking*> rankings;
  for (const Ranking& ranking : workload.rankings) {
    if (ranking.scope == scope && !ranking.order.empty()) rankings.push_back(&ranking);
  }
  return rankings;
}

std::string heading(const Ranking& ranking) {
  return ranking.model.empty() ? ranking.metric : "bugs:" + ranking.model;
}

// Figures of one scope: a block of as many columns as fit, then the next.
void figures(std::string& out, const WorkloadComparison& workload, Scope scope) {
  const auto rankings = of_scope(workload, scope);
  if (rankings.empty()) return;
  std::size_t name_width = 0;
  for (const std::string& sandbox : workload.sandboxes) name_width = std::max(name_width, sandbox.size());
  std::size_t from = 0;
  while (from < rankings.size()) {
    std::vector<std::string> lines(workload.sandboxes.size() + 1);
    lines[0] = fmt::format("  {:<{}}", from == 0 ? to_string(scope) : "", name_width);
    if (from == 0) name_width = std::max(name_width, to_string(scope).size());
    lines[0].resize(name_width + 2, ' ');
    for (std::size_t s = 0; s < workload.sandboxes.size(); ++s) {
      lines[s + 1] = fmt::format("  {:<{}}", workload.sandboxes[s], name_width);
    }
    std::size_t column = from;
    for (; column < rankings.size(); ++column) {
      std::vector<std::string> cells{heading(*rankings[column])};
      for (const std::string& sandbox : workload.sandboxes) cells.push_back(cell(*rankings[column], sandbox));
      std::size_t width = 0;
      for (const std::string& text : cells) width = std::max(width, text.size());
      if (column > from && lines[0].size() + 2 + width > kWidth) break;
      for (std::size_t i = 0; i < lines.size(); ++i) lines[i] += fmt::format("  {:<{}}", cells[i], width);
    }
    for (std::string& line : lines) {
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
    out += "\n";
    from = column;
  }
}

// "kvm-qemu <0.98 docker-default ~0.61 bare": the probability of each neighbour's order; "~": not told, "<?":
// not tested.
void order(std::string& out, const Ranking& ranking, double confidence, std::size_t label_width) {
  std::string text = fmt::format("{:<{}}", heading(ranking), label_width);
  for (std::size_t i = 0; i < ranking.order.size(); ++i) {
    if (i > 0) {
      const std::string& before = ranking.order[i - 1].sandbox;
      const std::string& after = ranking.order[i].sandbox;
      const auto pair =
          std::find_if(ranking.pairs.begin(), ranking.pairs.end(),
                       [&](const PairProbability& p) { return p.lower == before && p.higher == after; });
      if (pair == ranking.pairs.end() || !pair->probability) {
        text += " <?";
      } else {
        text += fmt::format(" {}{:.2f}", *pair->probability >= confidence ? "<" : "~",
                            std::floor(*pair->probability * 100) / 100);
      }
    }
    text += " " + ranking.order[i].sandbox;
  }
  for (const std::string& sandbox : ranking.unknown) text += "; unknown: " + sandbox;
  // wrap() would squeeze the padding of the label, so the label goes in by hand.
  std::string wrapped;
  wrap(wrapped, text.substr(label_width + 1), 4 + label_width + 1, 4 + label_width + 3);
  wrapped.replace(4, label_width, text.substr(0, label_width));
  out += wrapped;
}

void orders(std::string& out, const WorkloadComparison& workload, double confidence) {
  std::size_t label_width = 0;
  for (const Ranking& ranking : workload.rankings)
    label_width = std::max(label_width, heading(ranking).size());
  for (const Scope scope : kScopes) {
    const auto rankings = of_scope(workload, scope);
    if (rankings.empty()) continue;
    out += fmt::format("  order by {}\n", to_string(scope));
    for (const Ranking* ranking : rankings) order(out, *ranking, confidence, label_width);
  }
  out += "\n";
}

void variation(std::string& out, const WorkloadComparison& workload) {
  const auto rankings = of_scope(workload, Scope::hap);
  if (rankings.empty()) return;
  const Ranking& ranking = *rankings.front();
  out += fmt::format("  variation of {} (standard deviations)\n", heading(ranking));
  std::size_t name_width = 0;
  for (const std::string& sandbox : workload.sandboxes) name_width = std::max(name_width, sandbox.size());
  for (const RankedFigure& figure : ranking.order) {
    const Spread& spread = figure.spread;
    const auto part = [](const std::optional<double>& sd) {
      return sd ? number(*sd) : std::string("unknown");
    };
    std::string line =
        fmt::format("    {:<{}}  within boots {:>7}, between boots {:>7}; {} {}, {} recordings",
                    figure.sandbox, name_width, part(spread.within), part(spread.between), spread.boots,
                    spread.boots == 1 ? "boot" : "boots", spread.repeats);
    out += line + "\n";
    if (spread.no_variation) {
      wrap(out,
           "identical in every recording: no variation was there to see, which does not mean that there is "
           "none",
           6, 6);
    }
  }
  out += "\n";
}

// The pairs of rankings that agree least: what the choice of metric or model does to the order.
void agreement(std::string& out, const WorkloadComparison& workload) {
  std::vector<const Agreement*> known;
  for (const Agreement& entry : workload.agreement) {
    if (entry.tau) known.push_back(&entry);
  }
  if (known.empty()) return;
  std::stable_sort(known.begin(), known.end(),
                   [](const Agreement* a, const Agreement* b) { return *a->tau < *b->tau; });
  if (*known.front()->tau >= 1) {
    wrap(out, "agreement of orders (Kendall's tau-b): 1.00 between all metrics and models", 2, 4);
  } else {
    out += "  agreement of orders (Kendall's tau-b), lowest first\n";
    const std::size_t shown = std::min<std::size_t>(known.size(), 6);
    for (std::size_t i = 0; i < shown; ++i) {
      out += fmt::format("    {:>5.2f}  {} / {} ({})\n", *known[i]->tau, known[i]->a, known[i]->b,
                         to_string(known[i]->scope));
    }
    if (known.size() > shown) {
      out += fmt::format("    the other {} are {:.2f} or more\n", known.size() - shown, *known[shown]->tau);
    }
  }
  out += "\n";
}

void sentences(std::string& out, const std::vector<std::string>& list) {
  for (const std::string& sentence : list) wrap(out, "- " + sentence, 2, 4);
}

}  // namespace

std::string render_text(const Comparison& comparison) {
  std::string out;
  bool intervals = false;
  bool spans = false;
  for (const WorkloadComparison& workload : comparison.workloads) {
    for (const Ranking& ranking : workload.rankings) {
      for (const RankedFigure& figure : ranking.order) (figure.spread.interval ? intervals : spans) = true;
    }
    out += fmt::format("{}: {} sandboxes, {} recordings\n\n", workload.workload, workload.sandboxes.size(),
                       workload.recordings);
    for (const Scope scope : kScopes) figures(out, workload, scope);
    variation(out, workload);
    orders(out, workload, comparison.options.confidence);
    agreement(out, workload);
    out += "  conclusions\n";
    sentences(out, workload.conclusions);
    out += "\n";
  }
  if (!comparison.conclusions.empty()) {
    out += "All workloads\n";
    sentences(out, comparison.conclusions);
    out += "\n";
  }
  out += "Legend\n";
  if (intervals) {
    sentences(out, {"[low..high]: 95 % interval over boots and repeats, widened by losses and unseen code."});
  }
  if (spans) {
    sentences(out,
              {fmt::format("(low..high): only what losses and unseen code allow; fewer than {} boots give no "
                           "interval.",
                           kMinBoots)});
  }
  sentences(
      out,
      {fmt::format(
           "a <0.98 b: a is below b with this probability; ~: below {:.2f}, not told apart; <?: not tested.",
           comparison.options.confidence),
       fmt::format(
           "bugs: expected bugs. Each folder's density is varied log-normally with sigma {} (90 % within a "
           "factor of {:.1f}) for the probabilities.",
           comparison.options.density_sigma, std::exp(1.645 * comparison.options.density_sigma))});
  for (const ModelDescription& model : comparison.models) {
    sentences(out, {fmt::format("bugs:{}: {}.", model.name, model.source)});
  }
  sentences(out, comparison.notes);
  return out;
}

}  // namespace hap
