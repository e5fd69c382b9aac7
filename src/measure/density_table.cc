#include <fmt/format.h>

#include <toml++/toml.h>
#include <charconv>
#include <cmath>

#include "base/file.h"
#include "hap/density.h"

namespace hap {
namespace {

constexpr double kAbsurd = 1000;  // every line a defect
constexpr std::size_t kLargestTable = std::size_t{4} << 20;

Error bad(const std::string& path, const std::string& what) {
  return Error("not a density table: " + what, ErrorKind::usage)
      .at(path)
      .hint("docs/metrics.md and data/density/example.toml show the two forms, TOML and CSV");
}

bool sane(double density) {
  return std::isfinite(density) && density >= 0 && density <= kAbsurd;
}

struct Table {
  std::string name;
  std::string source;
  std::vector<DensityRow> rows;
  std::optional<double> otherwise;
};

Result<DensityModel> finish(Table table, const std::string& path) {
  if (table.rows.empty() && !table.otherwise) return bad(path, "it has no densities");
  if (table.name.empty()) table.name = "user";
  if (table.source.empty()) table.source = path;
  return DensityModel::table(std::move(table.name), std::move(table.source), std::move(table.rows),
                             table.otherwise);
}

Result<DensityModel> parse_toml(const std::string& text, const std::string& path) {
  toml::table document;
  try {
    document = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return bad(path, fmt::format("line {}: {}", error.source().begin.line, error.description()));
  }
  Table table;
  table.name = document["name"].value_or(std::string());
  table.source = document["source"].value_or(std::string());
  for (const auto& [key, node] : document) {
    const std::string_view name = key.str();
    if (name == "name" || name == "source" || name == "density") continue;
    if (name != "otherwise") return bad(path, fmt::format("unknown key \"{}\"", name));
    table.otherwise = node.value<double>();
    if (!table.otherwise || !sane(*table.otherwise)) {
      return bad(path, "\"otherwise\" is not a number from 0 to 1000");
    }
  }
  const auto* densities = document["density"].as_table();
  if (document.contains("density") && densities == nullptr) return bad(path, "\"density\" is not a table");
  if (densities != nullptr) {
    for (const auto& [key, node] : *densities) {
      const auto density = node.value<double>();
      if (!density || !sane(*density)) {
        return bad(path, fmt::format("the density of \"{}\" is not a number from 0 to 1000", key.str()));
      }
      table.rows.push_back({std::string(key.str()), *density});
    }
  }
  return finish(std::move(table), path);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\"");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\"") - first + 1);
}

Result<DensityModel> parse_csv(std::string_view text, const std::string& path) {
  Table table;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    ++number;
    line = line.substr(0, line.find('#'));
    if (trimmed(line).empty()) continue;
    const std::size_t comma = line.find(',');
    if (comma == std::string_view::npos) return bad(path, fmt::format("line {}: no comma", number));
    const std::string_view folder = trimmed(line.substr(0, comma));
    const std::string_view value = trimmed(line.substr(comma + 1));
    double density = 0;
    const auto [stop, failure] = std::from_chars(value.data(), value.data() + value.size(), density);
    const bool is_number = failure == std::errc{} && stop == value.data() + value.size();
    if (!is_number && number == 1) continue;  // a heading
    if (!is_number || !sane(density)) {
      return bad(path, fmt::format("line {}: \"{}\" is not a number from 0 to 1000", number, value));
    }
    if (folder.empty()) return bad(path, fmt::format("line {}: no path", number));
    if (folder == "*") {
      table.otherwise = density;
    } else {
      table.rows.push_back({std::string(folder), density});
    }
  }
  return finish(std::move(table), path);
}

}  // namespace

Result<DensityModel> parse_density_table(const std::string& text, const std::string& path) {
  return path.ends_with(".toml") ? parse_toml(text, path) : parse_csv(text, path);
}

Result<DensityModel> load_density_table(const std::string& path) {
  HAP_TRY(text, read_file(path, kLargestTable));
  return parse_density_table(text, path);
}

}  // namespace hap
