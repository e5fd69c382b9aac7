#include "ledger/exposure_format.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/printable.h"
#include "base/text_layout.h"
namespace hap::ledger {
namespace {

using Json = nlohmann::ordered_json;

std::string padded(const std::string& text, size_t width) {
  return text.size() >= width ? text + " " : text + std::string(width - text.size(), ' ');
}

std::string decimal(double value, const char* format = "%.1f") {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

Json count_json(const ExposureCount& count) {
  return {{"exercised", count.exercised},
          {"exercised_by_function", count.by_function},
          {"weighted", count.weighted},
          {"open", count.open},
          {"fixed_before", count.fixed_before},
          {"never_affected", count.never_affected},
          {"open_or_fixed_unknown", count.openness_unknown},
          {"ruled_out", count.ruled_out},
          {"meets", count.meets},
          {"present", count.present},
          {"absent", count.absent},
          {"unknown", count.unknown}};
}

// Dated and undated records together: what is met does not depend on when it was published.
uint64_t met(const Exposure& exposure) {
  return exposure.dated.meets + exposure.undated.meets;
}

void list_records(std::ostringstream& out, const Exposure& exposure, size_t limit) {
  size_t shown = 0;
  for (const auto& item : exposure.records) {
    if (item.reach != Reach::exercised || shown == limit) break;
    ++shown;
    out << "  " << padded(item.record->id, 16)
        << padded(item.weight ? decimal(*item.weight * 100) + " %" : "? %", 8)
        << padded(to_string(item.openness), 15)
        << (item.dated ? item.record->published.value_or("by id") : std::string("undated")) << "  "
        << (item.where.empty() ? std::string() : printable(item.where.front()))
        << (item.where.size() > 1 ? " and others" : "") << "\n";
    if (!item.record->title.empty()) out << "      " << printable(item.record->title) << "\n";
    if (!item.ruled_out.empty()) out << "      ruled out: " << item.ruled_out << "\n";
  }
  const auto all = exposure.dated.exercised + exposure.undated.exercised;
  if (all > shown) out << "  ... and " << all - shown << " more (--limit, --format json)\n";
}

}  // namespace

std::string exposure_text(const std::vector<Exposure>& exposures, const ExposureView& view) {
  std::ostringstream out;
  out << "Kernel records whose fixed code was exercised"
      << (view.since ? ", since " + std::to_string(*view.since) : std::string()) << "\n\n";
  std::vector<std::vector<std::string>> rows = {{""}};
  for (const auto& exposure : exposures)
    rows[0].push_back(printable(
        exposure.sandbox.empty() ? exposure.label : exposure.sandbox + " " + exposure.workload, 30));
  const auto row = [&](const std::string& title, const auto& value) {
    std::vector<std::string> cells = {title};
    for (const auto& exposure : exposures) {
      const auto dated = value(exposure.dated);
      const auto undated = value(exposure.undated);
      const bool apart = view.since && undated != "0" && undated != "0.0";
      cells.push_back(dated + (apart ? " (+" + undated + " undated)" : std::string()));
    }
    rows.push_back(std::move(cells));
  };
  const auto number = [](uint64_t ExposureCount::*member) {
    return [member](const ExposureCount& c) { return std::to_string(c.*member); };
  };
  row("met (*)", number(&ExposureCount::meets));
  row("exercised", number(&ExposureCount::exercised));
  row("  weighted by executed share", [](const ExposureCount& c) { return decimal(c.weighted); });
  row("  decided by function", number(&ExposureCount::by_function));
  row("  open in this kernel version", number(&ExposureCount::open));
  row("  fixed before it", number(&ExposureCount::fixed_before));
  row("  never affected", number(&ExposureCount::never_affected));
  row("  open or fixed unknown", number(&ExposureCount::openness_unknown));
  row("  ruled out by the sandbox", number(&ExposureCount::ruled_out));
  row("present, not exercised", number(&ExposureCount::present));
  row("not in this kernel build", number(&ExposureCount::absent));
  row("place unknown", number(&ExposureCount::unknown));
  out << column_blocks(rows)
      << "* exercised, not ruled out by the sandbox, open in this kernel version or unknown\n";
  if (exposures.size() > 1) {
    const auto fewest =
        std::min_element(exposures.begin(), exposures.end(),
                         [](const Exposure& a, const Exposure& b) { return met(a) < met(b); });
    std::string names;
    for (const auto& exposure : exposures) {
      if (met(exposure) == met(*fewest))
        names += (names.empty() ? "" : ", ") +
                 printable(exposure.sandbox.empty() ? exposure.label : exposure.sandbox);
    }
    out << "\nFewest met: " << names << " (" << met(*fewest) << ")\n";
  }
  for (const auto& exposure : exposures) {
    out << "\n"
        << printable(exposure.label) << ": kernel " << printable(exposure.kernel_release)
        << (exposure.kernel_version ? " (upstream " + *exposure.kernel_version + ")" : std::string()) << "\n";
    list_records(out, exposure, view.records);
    for (const auto& warning : exposure.warnings) out << "  Note: " << warning << "\n";
  }
  return folded_lines(printable_lines(out.str()));
}

Json exposure_object(const Exposure& exposure) {
  Json records = Json::array();
  for (const auto& item : exposure.records) {
    if (item.reach != Reach::exercised) continue;
    records.push_back({{"id", item.record->id},
                       {"title", item.record->title.empty() ? Json(nullptr) : Json(item.record->title)},
                       {"published", item.record->published ? Json(*item.record->published) : Json(nullptr)},
                       {"decided_by", item.by_function ? "function" : "file"},
                       {"weight", item.weight ? Json(*item.weight) : Json(nullptr)},
                       {"where", item.where},
                       {"version_status", to_string(item.openness)},
                       {"ruled_out", item.ruled_out.empty() ? Json(nullptr) : Json(item.ruled_out)}});
  }
  return {{"kernel_version", exposure.kernel_version ? Json(*exposure.kernel_version) : Json(nullptr)},
          {"counts", count_json(exposure.dated)},
          {"records", std::move(records)},
          {"warnings", exposure.warnings}};
}

std::string exposure_json(const std::vector<Exposure>& exposures, const ExposureView& view) {
  Json json{{"schema", "hapmeter.ledger-exposure/1"},
            {"since", view.since ? Json(*view.since) : Json(nullptr)}};
  json["recordings"] = Json::array();
  for (const auto& exposure : exposures) {
    Json entry{{"recording", exposure.label},
               {"sandbox", exposure.sandbox},
               {"workload", exposure.workload},
               {"kernel",
                {{"release", exposure.kernel_release},
                 {"upstream", exposure.kernel_version ? Json(*exposure.kernel_version) : Json(nullptr)}}},
               {"undated", view.since ? count_json(exposure.undated) : Json(nullptr)}};
    entry.update(exposure_object(exposure));
    json["recordings"].push_back(std::move(entry));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string exposure_csv(const std::vector<Exposure>& exposures) {
  std::ostringstream out;
  out << "recording,sandbox,workload,id,published,reach,decided_by,weight,version_status,ruled_out,where\n";
  for (const auto& exposure : exposures) {
    for (const auto& item : exposure.records) {
      out << csv_field(exposure.label) << ',' << csv_field(exposure.sandbox) << ','
          << csv_field(exposure.workload) << ',' << item.record->id << ','
          << item.record->published.value_or("") << ',' << csv_field(to_string(item.reach)) << ','
          << (item.by_function ? "function" : "file") << ','
          << (item.weight ? decimal(*item.weight, "%.4f") : "") << ',' << to_string(item.openness) << ','
          << csv_field(item.ruled_out) << ',' << csv_field(item.where.empty() ? "" : item.where.front())
          << '\n';
    }
  }
  return out.str();
}

std::string retrodiction_text(const Retrodiction& r) {
  std::ostringstream out;
  out << "Density from " << r.training_records << " records up to " << r.until << ", against "
      << r.test_records << " records "
      << (r.to ? "of " + std::to_string(r.until + 1) + " to " + std::to_string(*r.to) : "after it") << "\n\n"
      << padded("recording", 40) << padded("lines", 10) << padded("predicted", 12) << padded("uniform", 12)
      << padded("observed", 12) << "records met\n";
  for (const auto& row : r.rows) {
    out << padded(printable(row.sandbox.empty() ? row.label : row.sandbox + " (" + row.label + ")", 39), 40)
        << padded(decimal(row.executed_lines, "%.0f"), 10) << padded(decimal(row.predicted), 12)
        << padded(decimal(row.predicted_uniform), 12) << padded(decimal(row.observed), 12)
        << row.observed_records << "\n";
  }
  const auto known = [](const std::optional<double>& value) {
    return value ? decimal(*value, "%.2f") : std::string("unknown");
  };
  out << "\nOrder of the recordings, Kendall's tau: " << known(r.tau) << " by subsystem density, "
      << known(r.tau_uniform) << " by lines alone\n"
      << "Density before and after, Spearman's rho over " << r.subsystems
      << " exercised subsystems: " << known(r.subsystem_rho) << "\n";
  for (const auto& warning : r.warnings) out << "Warning: " << warning << "\n";
  return folded_lines(printable_lines(out.str()));
}

std::string retrodiction_json(const Retrodiction& r) {
  const auto known = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  Json json{{"schema", "hapmeter.ledger-retrodiction/1"},
            {"until", r.until},
            {"to", r.to ? Json(*r.to) : Json(nullptr)},
            {"training_records", r.training_records},
            {"test_records", r.test_records},
            {"undated", r.undated}};
  json["recordings"] = Json::array();
  for (const auto& row : r.rows) {
    json["recordings"].push_back({{"recording", row.label},
                                  {"sandbox", row.sandbox},
                                  {"executed_lines", row.executed_lines},
                                  {"predicted", row.predicted},
                                  {"predicted_uniform", row.predicted_uniform},
                                  {"observed", row.observed},
                                  {"observed_records", row.observed_records}});
  }
  json["tau"] = known(r.tau);
  json["tau_uniform"] = known(r.tau_uniform);
  json["subsystem_rho"] = known(r.subsystem_rho);
  json["subsystems"] = r.subsystems;
  json["warnings"] = r.warnings;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hap::ledger
