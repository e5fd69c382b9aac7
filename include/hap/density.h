// Bug-density models: how many bugs a thousand lines of kernel code are taken to hold, for the metric
// `expected_bugs` = sum over hit functions of lines x density.
//
// Nobody knows the true densities. A figure is therefore always shown with the model it comes from, and `hap
// compare` asks what really matters: does the order of the sandboxes survive the choice of the model, and a
// random perturbation of its densities?
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "hap/result.h"

namespace hap {

// Defects per 1,000 lines for the uniform model: about 1 in 3,000 lines, what a static analyser still
// reported in linux-next in October 2018 (C. I. King, "Static analysis trends on linux-next"). For scale:
// 0.69 is the mean of the open-source projects in the Coverity Scan report of 2012. These are defects of all
// kinds, few of them exploitable. The constant cancels in every comparison; the uniform model orders
// sandboxes as `function_lines`.
inline constexpr double kUniformPerKloc = 0.33;

// Density of popular code relative to other code. That popular kernel paths hold significantly fewer bugs is
// the finding of Li, Dolan-Gavitt, Weber & Cappos ("Lock-in-Pop", USENIX ATC 2017); the size of the factor is
// an assumption of ours, printed with every figure and to be varied.
inline constexpr double kPopularFactor = 0.2;

// Standard deviation of the logarithm of the factor by which a subsystem's density may be off: 90 % within a
// factor of 3, the lower end of what was found between drivers and the rest of the kernel (3 to 7 times:
// Chou, Yang, Chelf, Hallem & Engler, "An Empirical Study of Operating Systems Errors", SOSP 2001).
inline constexpr double kDensitySigma = 0.67;

// A piece of exercised code.
struct CodePiece {
  std::string_view function;  // its name
  std::string_view file;      // relative to the source root; empty: unknown
  double lines = 0;           // of it
};

// A part of the source tree and its density.
struct DensityRow {
  std::string path;     // a folder or file of the source tree: "net/ipv4", "mm", "fs/exec.c"
  double per_kloc = 0;  // defects per 1,000 lines
};

// Identity of a function across recordings of different builds.
std::string function_key(std::string_view function, std::string_view file);

// Lines to expected defects: one density, a table by folder, or weights by popularity.
class DensityModel {
 public:
  // The same density everywhere.
  static DensityModel uniform(double per_kloc = kUniformPerKloc);
  // Each file gets the density of the longest row path that is its own or a folder above it; `otherwise`
  // where there is none (null: unknown). `name` is shown with every figure, `source` says where the numbers
  // are from.
  static DensityModel table(std::string name, std::string source, std::vector<DensityRow> rows,
                            std::optional<double> otherwise);
  // The uniform model with functions of `popular` (see function_key) at `factor` times the density.
  static DensityModel popularity(std::unordered_set<std::string> popular, double factor = kPopularFactor,
                                 double per_kloc = kUniformPerKloc);

  // "uniform", "subsystem", ...
  const std::string& name() const { return name_; }
  // Where the numbers come from.
  const std::string& source() const { return source_; }

  // Defects per 1,000 lines of a piece; null where the model says nothing.
  std::optional<double> per_kloc(const CodePiece& piece) const;
  // What is perturbed together: pieces of one group are off by the same factor. The folder (two levels) of
  // the file; popular code apart from other code.
  std::string group(const CodePiece& piece) const;

 private:
  DensityModel(std::string name, std::string source) : name_(std::move(name)), source_(std::move(source)) {}
  const double* row_of(std::string_view file) const;
  bool popular(const CodePiece& piece) const;

  std::string name_;
  std::string source_;
  std::map<std::string, double, std::less<>> rows_;
  std::optional<double> otherwise_;
  std::unordered_set<std::string> popular_;
  double popular_factor_ = 1;
};

// What a model says of some code.
struct ExpectedBugs {
  double value = 0;                      // expected defects
  double lines = 0;                      // that the model has a density for
  double lines_unknown = 0;              // that it has none for: not in `value`
  std::map<std::string, double> groups;  // value by perturbation group
};
// Null when the model knows the density of less than half of the lines: a sum over the rest would be a guess.
std::optional<ExpectedBugs> expected_bugs(std::span<const CodePiece> code, const DensityModel& model);

// Published records and lines of one part of the source tree.
struct RecordedPart {
  double records = 0;  // published in that part
  double lines = 0;    // of that part
};
// Densities of parts from published records. A small part without records is not free of bugs, and a small
// part with one is not the worst: each rate is shrunk towards the overall one as far as its Poisson noise
// demands (global empirical Bayes: Marshall, Applied Statistics 40, 1991, eq. 5). Unit: records per 1,000
// lines.
std::vector<DensityRow> densities_from_records(const std::map<std::string, RecordedPart>& parts);

// A user's own table. TOML:
//
//   name = "fuzzing"  source = "our syzkaller findings, 2026"  otherwise = 0.2   # one per line
//   [density]
//   "net/ipv4" = 0.8
//   mm = 0.3
//
// or CSV with lines "path,defects per 1000 lines", "*" for the rest, "#" for comments. Which of the two is
// told by the file's name (".toml" or anything else). Errors (usage): line and reason; negative, absurd
// (above 1,000) or non-finite densities; nothing in it.
Result<DensityModel> parse_density_table(const std::string& text, const std::string& path);
// TOML or CSV, as docs/metrics.md describes. Errors: not there, malformed (with the line), a negative
// density.
Result<DensityModel> load_density_table(const std::string& path);

}  // namespace hap
