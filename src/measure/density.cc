#include "hap/density.h"

#include <algorithm>
#include <cmath>

namespace hap {
namespace {

// "net/ipv4" of "net/ipv4/tcp.c", "mm" of "mm/mmap.c".
std::string_view folder_of(std::string_view file) {
  const std::size_t first = file.find('/');
  if (first == std::string_view::npos) return {};
  const std::size_t second = file.find('/', first + 1);
  return file.substr(0, second == std::string_view::npos ? first : second);
}

}  // namespace

std::string function_key(std::string_view function, std::string_view file) {
  std::string key;
  key.reserve(function.size() + 1 + file.size());
  key.append(function).push_back('@');
  key.append(file);
  return key;
}

DensityModel DensityModel::uniform(double per_kloc) {
  DensityModel model("uniform", "one density for all code (Bottomley's assumption)");
  model.otherwise_ = per_kloc;
  return model;
}

DensityModel DensityModel::table(std::string name, std::string source, std::vector<DensityRow> rows,
                                 std::optional<double> otherwise) {
  DensityModel model(std::move(name), std::move(source));
  for (DensityRow& row : rows) {
    while (!row.path.empty() && row.path.back() == '/') row.path.pop_back();
    model.rows_.insert_or_assign(std::move(row.path), row.per_kloc);
  }
  model.otherwise_ = otherwise;
  return model;
}

DensityModel DensityModel::popularity(std::unordered_set<std::string> popular, double factor,
                                      double per_kloc) {
  DensityModel model("popularity", "code that every workload exercises has fewer bugs (Lock-in-Pop)");
  model.popular_ = std::move(popular);
  model.popular_factor_ = factor;
  model.otherwise_ = per_kloc;
  return model;
}

const double* DensityModel::row_of(std::string_view file) const {
  for (;;) {
    const auto row = rows_.find(file);
    if (row != rows_.end()) return &row->second;
    const std::size_t slash = file.rfind('/');
    if (slash == std::string_view::npos) return nullptr;
    file = file.substr(0, slash);
  }
}

bool DensityModel::popular(const CodePiece& piece) const {
  return !popular_.empty() && popular_.contains(function_key(piece.function, piece.file));
}

std::optional<double> DensityModel::per_kloc(const CodePiece& piece) const {
  if (const double* row = row_of(piece.file)) return *row;
  if (!otherwise_) return std::nullopt;
  return popular(piece) ? *otherwise_ * popular_factor_ : *otherwise_;
}

std::string DensityModel::group(const CodePiece& piece) const {
  std::string group(folder_of(piece.file));
  if (popular(piece)) group += " (popular)";
  return group;
}

std::optional<ExpectedBugs> expected_bugs(std::span<const CodePiece> code, const DensityModel& model) {
  ExpectedBugs bugs;
  for (const CodePiece& piece : code) {
    const auto density = model.per_kloc(piece);
    if (!density) {
      bugs.lines_unknown += piece.lines;
      continue;
    }
    const double expected = piece.lines * *density / 1000;
    bugs.value += expected;
    bugs.lines += piece.lines;
    bugs.groups[model.group(piece)] += expected;
  }
  if (bugs.lines <= 0 || bugs.lines < bugs.lines_unknown) return std::nullopt;
  return bugs;
}

std::vector<DensityRow> densities_from_records(const std::map<std::string, RecordedPart>& parts) {
  double records = 0;
  double lines = 0;
  std::size_t count = 0;
  for (const auto& [path, part] : parts) {
    if (part.lines <= 0) continue;
    records += part.records;
    lines += part.lines;
    ++count;
  }
  std::vector<DensityRow> rows;
  if (count == 0) return rows;
  const double overall = records / lines;
  double scatter = 0;  // of the rates about the overall one, weighted by lines
  for (const auto& [path, part] : parts) {
    if (part.lines <= 0) continue;
    const double rate = part.records / part.lines;
    scatter += part.lines * (rate - overall) * (rate - overall);
  }
  // What of it is real: the scatter less the Poisson noise that parts of this size have anyway.
  const double real = std::max(0.0, scatter / lines - overall / (lines / static_cast<double>(count)));
  for (const auto& [path, part] : parts) {
    if (part.lines <= 0) continue;
    const double noise = overall / part.lines;
    const double weight = real + noise > 0 ? real / (real + noise) : 0;
    rows.push_back({path, 1000 * (overall + weight * (part.records / part.lines - overall))});
  }
  return rows;
}

}  // namespace hap
