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
  std::vector<std::pair<std::string, Measurement>> metrics;  // name and measurement
  // Null: no such metric.
  const Measurement* find(std::string_view name) const;
  // Null: no such metric, or its value is unknown.
  std::optional<double> value(std::string_view name) const;
};

// The figures of a layer or context.
struct NamedFigures {
  std::string name;                // of the layer or context
  FigureSet figures;               // of phase serve
  uint64_t blocks = 0;             // distinct pieces of code
  uint64_t unresolved_blocks = 0;  // of them in no known function
};

// One phase of the cell.
struct PhaseReport {
  Phase phase = Phase::serve;        // which
  uint64_t windows = 0;              // that it was divided into
  std::optional<double> seconds;     // measured machine's time
  std::optional<uint64_t> requests;  // verified replies; null outside serve
  FigureSet hap;                     // of this phase alone
};

// A source folder's part.
struct SubsystemReport {
  std::string name;                        // "net/ipv4"
  uint64_t functions = 0;                  // hit
  std::optional<uint64_t> function_lines;  // all lines of those; null: unknown
  std::optional<uint64_t> executed_lines;  // null: the collector cannot tell
};

// A function in one layer and context, in phase serve.
struct FunctionReport {
  std::string name;                        // as in the source, or a label in brackets
  std::string file;                        // empty: unknown
  std::optional<uint32_t> line;            // of its declaration; null: unknown
  std::optional<uint32_t> lines;           // of the whole function; null: unknown
  std::optional<uint32_t> executed_lines;  // null: none known
  std::optional<uint64_t> bytes;           // executed
  std::optional<uint32_t> complexity;      // cyclomatic; null: unknown
  Layer layer = Layer::host_kernel;        // whose code
  Context context = Context::task;         // in what manner it ran
  uint32_t hits = 0;                       // windows it was seen in
  std::string subsystem;                   // source folder
  std::string image;                       // path of the first image it was seen in
  bool inlined = false;                    // seen inlined only: not counted in `functions`
  bool label = false;                      // code of no known function
  bool emulation = false;                  // seen only in code that the emulated processor needs
};

// An image without symbols.
struct ImageReport {
  std::string path;            // as recorded
  std::string why_no_symbols;  // and what would help
};

// What may be missing.
struct LossReport {
  std::optional<uint64_t> events_lost;       // null: the collector did not say
  uint64_t unobservable_functions = 0;       // functions that the collector cannot see
  uint64_t unresolved_addresses = 0;         // of the HAP
  std::vector<Loss> others;                  // every other loss recorded
  std::vector<ImageReport> without_symbols;  // images of which only bytes are known
};

// What the sandbox's filters would let through; computed by whoever knows, null otherwise.
struct Permitted {
  bool unfiltered = false;            // a process of the sandbox has no filter
  std::optional<uint64_t> syscalls;   // system calls let through; null: unknown, or a guest's row without any
  std::optional<uint64_t> functions;  // lower bound
  // Virtual machines: the handlers of the guest's exits and the kernel functions behind them, which the guest
  // reaches itself, and the functions behind KVM's ioctls, which a monitor that was taken over reaches. Lower
  // bounds as well.
  std::optional<uint64_t> exits;
  std::optional<uint64_t> exit_functions;   // behind the exits; null: unknown
  std::optional<uint64_t> ioctl_functions;  // behind the ioctls; null: unknown
  // Guests of Xen. Lower bounds as well.
  std::optional<uint64_t> hypercalls;           // that a paravirtualized guest may issue
  std::optional<uint64_t> hypercall_functions;  // Xen's, behind them and the traps of the guest
};

// Functions of the HAP that were first seen together, late in phase serve.
struct LateArrival {
  std::uint32_t window = 0;     // from 1
  double seconds = 0;           // from the begin of phase serve to the begin of that window
  std::uint64_t functions = 0;  // how many
  std::uint64_t deferred = 0;   // of these, came in deferred work alone (context kthread)
  std::uint64_t known = 0;      // of the others, had run before in interrupts on top of the sandbox's threads
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
  std::uint64_t added_deferred = 0;    // of these, came in deferred work alone
  std::uint64_t added_known = 0;       // of the others, had run before in interrupts: see LateArrival
  std::uint32_t all_windows = 0;       // served in all
  std::vector<LateArrival> late;       // of at least three functions, in the last two thirds of phase serve
};

// The functions of the HAP beside a recording of the idle machine. Nothing is subtracted.
struct BaselineReport {
  std::string path;                // of the idle recording
  WindowSpan working;              // how much of the workload was looked at
  WindowSpan idle;                 // how much of the idle machine
  BaselineComparison comparison;   // `function` is the name; `files` is parallel
  std::vector<std::string> files;  // of comparison.functions
};

// All that is said of one cell. Every format shows a part of it.
struct Report {
  std::string path;                               // of the recording
  std::map<std::string, std::string> meta;        // sandbox, workload, ...: as recorded
  std::map<std::string, std::string> conditions;  // CPU flags, clock, page cache, ...: as recorded
  std::vector<PhaseReport> phases;                // those that have windows
  std::optional<uint64_t> requests;               // served and verified; null: not recorded
  std::optional<uint64_t> requests_failed;        // null: not recorded

  FigureSet hap;                    // host kernel and hypervisor, on the tenant's behalf
  FigureSet hap_with_softirq;       // the same with softirqs run or received for it
  FigureSet hap_without_emulation;  // the HAP without what only the emulated processor needs
  FigureSet vap;                    // all layers
  std::optional<FigureSet> stage1;  // the VMM's or Sentry's own code; null: nothing between tenant and host
  std::optional<FigureSet> stage2;  // host code that those call; null likewise
  FigureSet interrupts;             // shown beside the HAP
  FigureSet daemons;                // shown beside the HAP
  std::string density_model;        // of expected_bugs
  std::optional<Permitted> permitted;  // null: no filters are known
  // Known vulnerabilities in the HAP's kernel code; null: no ledger. Its records belong to the ledger.
  std::optional<ledger::Exposure> exposure;
  std::vector<NamedFigures> layers;                      // phase serve; those that are there
  std::vector<NamedFigures> contexts;                    // phase serve; those that are there
  std::vector<SubsystemReport> subsystems;               // of the HAP, by executed lines
  std::vector<SubsystemReport> subsystems_with_softirq;  // the same with softirqs
  std::vector<FunctionReport> functions;                 // phase serve, by layer and context
  Completeness completeness;                             // of the HAP's functions
  LengthReport length;                                   // of phase serve
  std::optional<BaselineReport> baseline;                // null: none was given
  LossReport loss;                                       // what may be missing
  std::vector<Guard> guards;                             // checks of the measurement
  std::vector<AccountTotal> accounts;                    // every hit of the recording, by account

  std::string value(const std::string& key) const;  // of meta, "" when there is none
};

// What a report needs besides the profile.
struct ReportOptions {
  const DensityModel* density = nullptr;     // null: uniform
  std::optional<Interval> known_cves;        // null: no ledger
  std::optional<Permitted> permitted;        // null: unknown
  std::optional<ledger::Exposure> exposure;  // null: no ledger
  std::optional<BaselineReport> baseline;    // null: none was given
};

// `path` is that of the recording, for the reader. Deterministic.
Report make_report(const Profile& profile, const std::string& path, const ReportOptions& options = {});

}  // namespace hap
