#include "cli/registries.h"

#include "live/collectors.h"
#include "sandbox/catalogue.h"
#include "workload/catalogue.h"

namespace hap::cli {
namespace {

std::vector<RegistryRow> sandboxes() {
  std::vector<RegistryRow> rows;
  for (const auto& entry : sandbox::catalogue()) {
    RegistryRow row{entry.name, entry.summary, {{"isolation", entry.isolation}}};
    if (!entry.unavailable.empty()) row.more["unavailable"] = entry.unavailable;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<RegistryRow> workloads() {
  std::vector<RegistryRow> rows;
  for (const auto& entry : workload::catalogue()) {
    rows.push_back({entry.name, entry.summary, {{"package", entry.package}}});
  }
  return rows;
}

std::vector<RegistryRow> collectors() {
  std::vector<RegistryRow> rows = {{"emulator",
                                    "exact: every executed block of every layer, in the lab machine",
                                    {{"granularity", "block"}, {"command", "measure"}}}};
  for (const auto& named : live::live_collectors()) {
    RegistryRow row{named.name, named.summary, {{"granularity", "function"}, {"command", "record"}}};
    if (const auto collector = live::make_collector(named.name)) {
      if (const auto probe = (*collector)->probe(); !probe.usable) row.more["unavailable"] = probe.why_not;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<RegistryRow> metrics() {
  return {
      {"functions", "distinct functions hit", {{"unit", "functions"}}},
      {"function_lines", "all source lines of the functions hit", {{"unit", "lines"}}},
      {"executed_lines",
       "distinct source lines executed, inlined code credited to its own file",
       {{"unit", "lines"}}},
      {"code_bytes", "bytes of machine code executed", {{"unit", "bytes"}}},
      {"complexity", "sum of the cyclomatic complexities of the functions hit", {{"unit", "paths"}}},
      {"expected_bugs", "lines x bug density, under a named density model", {{"unit", "bugs"}}},
      {"known_cves", "ledger records whose fixed files or functions were exercised", {{"unit", "records"}}},
  };
}

std::vector<RegistryRow> formats() {
  return {
      {"text", "tables for people", {}},
      {"json", "the contract: docs/report.schema.json", {}},
      {"html", "one self-contained page with charts", {}},
      {"lcov", "tracefile for genhtml and editors", {}},
      {"csv", "one row per function", {}},
  };
}

}  // namespace

std::vector<std::string> registry_names() {
  return {"sandboxes", "workloads", "collectors", "metrics", "formats"};
}

std::vector<RegistryRow> registry(const std::string& name) {
  if (name == "sandboxes") return sandboxes();
  if (name == "workloads") return workloads();
  if (name == "collectors") return collectors();
  if (name == "metrics") return metrics();
  return formats();
}

}  // namespace hap::cli
