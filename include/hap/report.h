// A report: the figures of one measured cell as a data model; formats only render it.
//
//   Profile --make_report()--> Report --report::to_json / render_text / render_csv / render_lcov--> output
//
// To add a format: write a function from Report to text in a file of its own in src/report, and list it in
// src/report/formats.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hap/baseline.h"
#include "hap/completeness.h"
#include "hap/exposure.h"
#include "hap/metric.h"
#include "hap/profile.h"
#include "hap/result.h"

namespace hap {

// All metrics of one selection, in the order of make_metrics().
struct FigureSet {
  std::vector<std::pair<std::string, Measurement>> metrics;
  const Measurement* find(std::string_view name) const;
  std::optional<double> value(std::string_view name) const;
};

struct NamedFigures {
  std::string name;
  FigureSet figures;
  uint64_t blocks = 0;             // distinct pieces of code
  uint64_t unresolved_blocks = 0;  // of them in no known function
};

struct PhaseReport {
  Phase phase = Phase::serve;
  uint64_t windows = 0;
  std::optional<double> seconds;  // measured machine's time
  std::optional<uint64_t> requests;
  FigureSet hap;  // of this phase alone
};

struct SubsystemReport {
  std::string name;
  uint64_t functions = 0;
  std::optional<uint64_t> function_lines;
  std::optional<uint64_t> executed_lines;
};

// A function in one layer and context, in phase serve.
struct FunctionReport {
  std::string name;
  std::string file;  // empty: unknown
  std::optional<uint32_t> line;
  std::optional<uint32_t> lines;
  std::optional<uint32_t> executed_lines;
  std::optional<uint64_t> bytes;  // executed
  std::optional<uint32_t> complexity;
  Layer layer = Layer::host_kernel;
  Context context = Context::task;
  uint32_t hits = 0;  // windows it was seen in
  std::string subsystem;
  std::string image;
  bool inlined = false;    // seen inlined only: not counted in `functions`
  bool label = false;      // code of no known function
  bool emulation = false;  // seen only in code that the emulated processor needs
};

struct ImageReport {
  std::string path;
  std::string why_no_symbols;
};

struct LossReport {
  std::optional<uint64_t> events_lost;  // null: the collector did not say
  uint64_t unobservable_functions = 0;
  uint64_t unresolved_addresses = 0;  // of the HAP
  std::vector<Loss> others;
  std::vector<ImageReport> without_symbols;
};

// What the sandbox's filters would let through; computed by whoever knows, null otherwise.
struct Permitted {
  std::optional<uint64_t> syscalls;
  std::optional<uint64_t> functions;  // lower bound
  // Virtual machines: the handlers of the guest's exits and the kernel functions behind them, which the guest
  // reaches itself, and the functions behind KVM's ioctls, which a monitor that was taken over reaches. Lower
  // bounds as well.
  std::optional<uint64_t> exits;
  std::optional<uint64_t> exit_functions;
  std::optional<uint64_t> ioctl_functions;
};

// Functions of the HAP that were first seen together, late in phase serve.
struct LateArrival {
  std::uint32_t window = 0;  // from 1
  double seconds = 0;        // from the begin of phase serve to the begin of that window
  std::uint64_t functions = 0;
  std::vector<std::string> names;  // a few of them, system calls first
};

// How the length of phase serve was chosen, and what came late in it.
struct LengthReport {
  std::string until;                   // steady, requests; empty: not recorded
  std::string verdict;                 // of `until steady`: steady, or cap when the most windows were served
  std::string waiting_for;             // what was missing for the verdict when the cap was reached
  std::uint32_t windows = 0;           // served when the verdict was given; 0: there was none
  std::optional<Interval> foretold;    // new functions at four times that length, as stated then
  std::optional<std::uint64_t> added;  // by the windows served after the verdict; null: there were none
  std::uint32_t all_windows = 0;
  std::vector<LateArrival> late;  // of at least three functions, in the last two thirds of phase serve
};

// The functions of the HAP beside a recording of the idle machine. Nothing is subtracted.
struct BaselineReport {
  std::string path;  // of the idle recording
  WindowSpan working;
  WindowSpan idle;
  BaselineComparison comparison;  // `function` is the name; `files` is parallel
  std::vector<std::string> files;
};

struct Report {
  std::string path;
  std::map<std::string, std::string> meta;  // sandbox, workload, ...: as recorded
  std::map<std::string, std::string> conditions;
  std::vector<PhaseReport> phases;
  std::optional<uint64_t> requests;
  std::optional<uint64_t> requests_failed;

  FigureSet hap, hap_with_softirq, hap_without_emulation, vap;
  std::optional<FigureSet> stage1, stage2;  // null: nothing between tenant and host
  FigureSet interrupts, daemons;            // shown beside the HAP
  std::string density_model;                // of expected_bugs
  std::optional<Permitted> permitted;
  // Known vulnerabilities in the HAP's kernel code; null: no ledger. Its records belong to the ledger.
  std::optional<ledger::Exposure> exposure;
  std::vector<NamedFigures> layers, contexts;  // phase serve; those that are there
  std::vector<SubsystemReport> subsystems;     // of the HAP, by executed lines
  std::vector<SubsystemReport> subsystems_with_softirq;
  std::vector<FunctionReport> functions;
  Completeness completeness;  // of the HAP's functions
  LengthReport length;
  std::optional<BaselineReport> baseline;  // null: none was given
  LossReport loss;
  std::vector<Guard> guards;
  std::vector<AccountTotal> accounts;

  std::string value(const std::string& key) const;  // of meta, "" when there is none
};

struct ReportOptions {
  const DensityModel* density = nullptr;  // null: uniform
  std::optional<Interval> known_cves;     // null: no ledger
  std::optional<Permitted> permitted;
  std::optional<ledger::Exposure> exposure;
  std::optional<BaselineReport> baseline;
};

Report make_report(const Profile& profile, const std::string& path, const ReportOptions& options = {});

}  // namespace hap
