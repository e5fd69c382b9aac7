// The vulnerability ledger: dated records of published vulnerabilities, classified by isolation technology
// and impact, and what a recording's exercised code meets of them.
//
//   sources --import--> records (facts, one row per source) --rules, people--> classifications
//   classifications x years  --> table (ranges)          include/hap/ledger.h, make_table
//   records x exercised code --> exposure, known_cves     include/hap/exposure.h
//
// Everything here is a value; nothing prints. Unknown is an empty optional, never a zero or a guess: a record
// without a publication date belongs to no year, a record without affected ranges is neither open nor fixed.
//
// To add a source format: implement ledger::RecordFormat (src/ledger/format.h) and list it in formats().
// To add a technology, an impact pattern or a requirement: data/ledger/rules.toml, no code.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hap/result.h"

namespace hap::ledger {

// The talk's impact classes.
enum class Impact { privilege_escalation, denial_of_service, information_leak };
std::string to_string(Impact impact);  // "pe", "dos", "il"
// "privilege escalation"
std::string title_of(Impact impact);
// Of "pe", "dos", "il"; empty: none of them.
std::optional<Impact> parse_impact(const std::string& text);

// How certainly a record belongs to a cell. A cell's range is [core, core + upper].
enum class Tier {
  core,         // certain: default configuration, an attacker of that position
  upper,        // conditional: a device, a module, a user namespace, or the source says "possibly"
  alternative,  // plausible, but left out of the range
  excluded,     // not counted, with the reason
};
std::string to_string(Tier tier);  // "core", "upper", "alt", "excl"
// Empty: none of them.
std::optional<Tier> parse_tier(const std::string& text);

// One interval of versions with a status, as CVE 5.x states it. Empty strings are absent bounds; a single
// version has `from` only. "6.1.*" in `through` means: to the end of the 6.1 branch; "*": for ever.
struct VersionRange {
  bool affected = true;  // else unaffected
  std::string from;      // first version of it
  std::string below;     // exclusive upper bound
  std::string through;   // inclusive upper bound
};

// What a source says about the versions of one product.
struct Affected {
  std::string product;                 // as the source names it, in lower case
  bool default_affected = false;       // status of versions in no range
  std::vector<VersionRange> versions;  // in the source's order
};

// A function that a fix changed.
struct FunctionRef {
  std::string file;      // relative to the product's tree
  std::string function;  // its name
};

// Something an attacker needs; the sandbox may withhold it.
struct Requirement {
  // What is needed.
  enum class Kind { capability, user_namespace, device };
  Kind kind = Kind::capability;  // what is needed
  std::string name;              // "CAP_NET_ADMIN", "/dev/kvm"; empty for user_namespace
  bool namespaced = false;       // a capability over one's own user namespace is enough
  std::string why;               // the rule or source that says so
};
// "capability", "user namespace", "device"
std::string to_string(Requirement::Kind kind);

// Where a record's facts come from.
struct Source {
  std::string format;    // "kernel-compact", "cve5", "nvd2", "xsa", "osv", "tracker", "requirements"
  std::string origin;    // file, and the member of an archive
  std::string position;  // "line 17", "/vulnerabilities/3"
};

// The facts of one record, merged over its sources (cve5, kernel-compact, nvd2, xsa, osv, tracker, in this
// order, where they contradict each other). Dates are YYYY-MM-DD.
struct Record {
  std::string id;                        // "CVE-2014-0049"
  std::vector<std::string> advisories;   // "XSA-148"
  std::optional<std::string> published;  // of the record; empty: unknown
  std::optional<std::string> advised;    // public date of the first advisory
  std::optional<std::string> fixed;      // of the first fix; empty: unknown
  std::string title;                     // one line; may be empty
  std::string description;               // may be empty; not loaded unless asked for
  std::string rationale;              // the CNA's written reason per CVSS metric, one per line ("PR:L - ...")
  std::string cvss;                   // vector; empty when the record is not rated
  std::vector<std::string> products;  // "linux", "xen", "qemu", ...
  std::vector<std::string> files;     // source files of the fix, relative to the product's tree
  std::vector<FunctionRef> functions;     // of the fix, where known
  std::vector<std::string> fixes;         // commits
  std::vector<Affected> affected;         // what each source says of versions
  std::vector<Requirement> requirements;  // what an attacker needs
  std::vector<Source> sources;            // every source it was found in
};

// One cell that a record belongs to (or expressly does not), with who says so and why.
struct Classification {
  std::string technology;  // id of a technology of the rules file; "none" = no technology
  Impact impact = Impact::privilege_escalation;  // on the cell's technology
  Tier tier = Tier::excluded;                    // how certainly
  std::string attacker;                          // "guest kernel", "unprivileged container user", ...
  std::string condition;                         // what must hold besides; empty: nothing
  std::string component;                         // of the technology
  std::string made_by;  // "rule NAME" or "FILE:LINE" of a classification made by a person
  std::string why;      // in words
};

// A record with everything that was decided about it.
struct ClassifiedRecord {
  Record record;                                // the facts
  std::vector<Classification> classifications;  // the decisions, those that count first
};

// docs/ledger.schema.json.
std::string to_json(const ClassifiedRecord& record, int indent = -1);

// --- The table -------------------------------------------------------------------------------------------

struct YearSpan {
  int from = 0;  // inclusive
  int to = 0;    // inclusive
};

// How the table dates a record.
enum class DateBasis {
  published,  // its publication date; a record without one is in no year and counted as undated
  id_year,  // an undated record by the year in its id: only ever on explicit request, and said in the output
};

// What counts as one in a cell.
struct TableEntry {
  std::string label;             // the advisory where the technology counts advisories, else the record's id
  std::vector<std::string> ids;  // records behind the entry
  Tier tier = Tier::core;        // how certainly
  std::string date;              // that put it in the span
  std::string attacker;          // see Classification
  std::string component;         // see Classification
  std::string condition;         // see Classification
  std::string made_by;           // see Classification
  std::string why;               // see Classification
};

// The figure of the published table.
struct PublishedRange {
  int low = 0;            // certain
  int high = 0;           // with the conditional ones
  std::string deviation;  // known disagreement between the published figure and a strict reading
};

// Technology and impact.
struct TableCell {
  std::string technology;                        // Technology::id
  Impact impact = Impact::privilege_escalation;  // of the cell
  int low = 0;                                   // core entries
  int high = 0;                                  // core and upper entries
  std::vector<TableEntry> entries;               // every tier, core first
  std::optional<PublishedRange> published;       // the seed's figure, for the span it was published for
};

// A column of the table.
struct Technology {
  std::string id;                     // "xen-pv"
  std::string title;                  // for people
  bool of_seed = false;               // a column of the seed's table
  bool per_advisory = false;          // counts advisories, not record ids
  std::vector<std::string> products;  // a technology without any record of these is "no data", not zero
};

// Technology by impact, for a span of years.
struct Table {
  YearSpan years;                         // that it is of
  std::vector<Technology> technologies;   // the columns
  std::vector<TableCell> cells;           // technologies x impacts, in that order
  std::vector<std::string> without_data;  // technologies with no record of any year
  uint64_t undated = 0;                   // classified records that have no date and are in no year
  std::vector<std::string> basis;         // which classifications the figures stand on
  std::vector<std::string> warnings;      // where years are not comparable, and the like
  // Null: no such cell.
  const TableCell* find(const std::string& technology, Impact impact) const;
};

// --- Bug density (metric expected_bugs, model `subsystem`) -------------------------------------------------

// "fs/ext4" of "fs/ext4/inode.c", "mm" of "mm/mmap.c": kernel source folders, at most two levels.
std::string subsystem_of(const std::string& file);

// Published fixes of a source folder.
struct SubsystemDensity {
  double records = 0;              // a record fixed in n subsystems counts 1/n in each
  std::optional<double> per_kloc;  // records per 1,000 lines; empty when the lines are unknown
};

// Fix records per 1,000 lines of each subsystem. `lines`: subsystem -> lines of code in the build. Records
// are those of product linux with files; with a span only those dated in it (by `basis`). Subsystems of
// `lines` without records have density 0; subsystems with records but without lines have no density.
std::map<std::string, SubsystemDensity> subsystem_bug_density(const std::vector<Record>& records,
                                                              const std::map<std::string, uint64_t>& lines,
                                                              std::optional<YearSpan> span = std::nullopt,
                                                              DateBasis basis = DateBasis::published);

// The year of a record's date under a basis; empty when it has none.
std::optional<int> year_of(const Record& record, DateBasis basis);

// Records of the user's ledger (`default_path()` when empty): what `known_cves` and the density are computed
// from. Empty when nothing was ever imported. `with_text` also loads descriptions and rationales.
Result<std::vector<Record>> load_records(const std::string& database = {}, bool with_text = false);

// $HAP_LEDGER, else $XDG_DATA_HOME/hapmeter/ledger.sqlite, else ~/.local/share/hapmeter/ledger.sqlite.
Result<std::string> default_path();

}  // namespace hap::ledger
