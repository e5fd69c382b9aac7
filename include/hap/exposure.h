// What a recording's exercised code meets of the ledger: `hap ledger exposure`, the metric `known_cves`, and
// the retrodiction of docs/validity.md. Pure functions of records and exercised code.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hap/ledger.h"

namespace hap::ledger {

// Host-kernel code of one recording, filled from a profile. Paths are relative to the kernel's source tree
// (normalise_source_path turns build paths into that form).
struct ExercisedFile {
  std::string file;                     // relative to the source tree
  uint64_t executed_lines = 0;          // of the HAP
  std::optional<uint64_t> total_lines;  // lines with code in the whole file of this build; empty: unknown
};

// A function of the HAP.
struct ExercisedFunction {
  std::string file;             // relative to the source tree
  std::string function;         // its name
  uint64_t executed_lines = 0;  // of it
  uint64_t total_lines = 0;     // of it; 0: unknown
};

// What the sandbox gives its tenant. Every member may be unknown; an unknown fact rules nothing out.
struct SandboxFacts {
  std::optional<std::vector<std::string>> capabilities;  // effective, "CAP_NET_ADMIN"
  std::optional<bool> own_user_namespace;         // then its capabilities hold over its own namespaces only
  std::optional<bool> can_create_user_namespace;  // unshare(CLONE_NEWUSER) succeeds for the tenant
  std::optional<std::vector<std::string>> namespaces;  // own ones: "net", "pid", "user", ...
  std::optional<std::vector<std::string>> devices;     // nodes the tenant can open: "/dev/null", ...
  std::optional<bool> seccomp;                         // a filter is in force
  bool guest_kernel = false;  // the tenant calls a kernel of its own (VM, Sentry), the host's only through it
};

// One recording, as the ledger looks at it.
struct ExercisedCode {
  std::string label;           // file name of the recording
  std::string sandbox;         // its name
  std::string workload;        // its name
  std::string kernel_release;  // uname -r
  std::string kernel_version;  // upstream version ("6.12.48"); empty: taken from the release if it tells
  std::string build_id;        // of the kernel
  std::vector<ExercisedFile> files;          // that have code in this build, executed or not
  std::vector<ExercisedFunction> functions;  // that were executed
  std::optional<std::vector<std::string>>
      present_files;   // sources of the kernel build and its loaded modules
  SandboxFacts facts;  // what the sandbox gives its tenant
};

// "./net/../fs/aio.c" and ".../linux-6.12/fs/aio.c" become "fs/aio.c".
std::string normalise_source_path(const std::string& path);

// The upstream version of a kernel: `version` when given, else from the release. Debian's "6.1.0-40-amd64"
// names an ABI, not a version: empty.
std::optional<std::string> upstream_version(const std::string& release, const std::string& version = {});

// Version comparison of the kernel and of dotted versions at large: "6.5-rc1" < "6.5" < "6.5.1" < "6.10".
// Returns <0, 0, >0; empty when one of them is not a version.
std::optional<int> compare_versions(const std::string& a, const std::string& b);

// What a record is in a kernel's version.
enum class Openness { open, fixed_before, never_affected, unknown };
// "open", "fixed before", "never affected", "unknown"
std::string to_string(Openness openness);
// By the ranges of product linux; unknown when the record has none or the version is unknown.
Openness openness_of(const Record& record, const std::optional<std::string>& version);

// Where the fixed code is, seen from a recording.
enum class Reach {
  exercised,
  present,
  absent,
  unknown
};  // unknown: the record has no files, or the build's are unknown
// "exercised", "present, not exercised", ...
std::string to_string(Reach reach);

// A record against a recording.
struct ExposedRecord {
  const Record* record = nullptr;  // into the vector given to expose()
  Reach reach = Reach::unknown;    // where its code is
  bool by_function = false;        // decided by the fix's functions, else by its files
  std::optional<double>
      weight;  // share of the fix's files (functions) that was executed; empty: lines unknown
  std::vector<std::string> where;         // files or file:function that were exercised
  Openness openness = Openness::unknown;  // in the recording's kernel version
  std::string ruled_out;  // why the sandbox withholds what the attacker needs; empty: it does not
  bool dated = false;     // it has a date in the sense of the options
};

// What to count.
struct ExposureOptions {
  std::optional<int> since;                // year; undated records are counted apart
  DateBasis basis = DateBasis::published;  // how records are dated
};

// Records by what was found. Those of one line add up.
struct ExposureCount {
  uint64_t exercised = 0;         // their fixed code ran
  uint64_t by_function = 0;       // of them decided by function
  double weighted = 0;            // sum of weights of those with a weight
  uint64_t open = 0;              // of the exercised: open in this version
  uint64_t fixed_before = 0;      // of the exercised: fixed before this version
  uint64_t never_affected = 0;    // of the exercised: this version never had it
  uint64_t openness_unknown = 0;  // of the exercised: no source says
  uint64_t ruled_out = 0;         // of the exercised
  uint64_t meets = 0;             // exercised, neither ruled out nor fixed before nor never affected
  uint64_t present = 0;           // in this build, not exercised
  uint64_t absent = 0;            // not in this build
  uint64_t unknown = 0;           // the record does not say where, or the build's files are unknown
};

// What one recording meets.
struct Exposure {
  std::string label;                          // as in ExercisedCode
  std::string sandbox;                        // as in ExercisedCode
  std::string workload;                       // as in ExercisedCode
  std::string kernel_release;                 // as in ExercisedCode
  std::optional<std::string> kernel_version;  // upstream; empty: unknown
  ExposureCount dated;    // records in the span asked for (all records when no span was asked for)
  ExposureCount undated;  // records without a date, when a span was asked for
  std::vector<ExposedRecord>
      records;  // exercised ones first, of these what is met and open, then the heaviest
  std::vector<std::string> warnings;  // what limits the answer
};

// Pure; records stay the caller's, and must outlive the result.
Exposure expose(const std::vector<Record>& records, const ExercisedCode& code,
                const ExposureOptions& options = {});

// Metric `known_cves`: records whose fixed files or functions were exercised. `value` counts them all, `low`
// those decided by function or in a file that was executed whole, `high` also those whose place is unknown.
// Empty without records.
struct KnownCves {
  uint64_t value = 0;   // exercised
  uint64_t low = 0;     // of them certain
  uint64_t high = 0;    // with those of unknown place
  double weighted = 0;  // sum of the executed shares
};
// See KnownCves.
std::optional<KnownCves> known_cves(const std::vector<Record>& records, const ExercisedCode& code);

// --- Retrodiction ------------------------------------------------------------------------------------------

struct RetrodictionRow {
  std::string label;          // as in ExercisedCode
  std::string sandbox;        // its name
  double executed_lines = 0;  // of the HAP
  double predicted =
      0;  // sum over subsystems of executed lines x density up to the year, scaled to the later total
  double predicted_uniform = 0;   // executed lines x one density for the whole build
  double observed = 0;            // later records in exercised files, weighted by the executed share
  uint64_t observed_records = 0;  // later records in exercised files
};

// How well density up to a year told the following years' records.
struct Retrodiction {
  int until = 0;                           // density from records dated up to and including this year
  std::optional<int> to;                   // observed: the years after `until`, up to this
  DateBasis basis = DateBasis::published;  // how records were dated
  uint64_t training_records = 0;           // up to the year
  uint64_t test_records = 0;               // after it
  uint64_t undated = 0;                    // left out
  std::vector<RetrodictionRow> rows;       // one for each recording
  std::optional<double> tau;  // Kendall's tau-b of predicted and observed over the recordings (3 or more)
  std::optional<double> tau_uniform;  // the same for one density everywhere
  std::optional<double>
      subsystem_rho;        // Spearman's rho of density before and after, over the subsystems exercised
  uint64_t subsystems = 0;  // that rho is over
  std::vector<std::string> warnings;  // what limits the answer
};

// Pure. `to` empty: to the last year there is.
Retrodiction retrodict(const std::vector<Record>& records, const std::vector<ExercisedCode>& codes, int until,
                       std::optional<int> to, DateBasis basis);

}  // namespace hap::ledger
