#include "ledger/classification_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <string_view>

#include "base/digest.h"
#include "base/file.h"
#include "ledger/date.h"
#include "ledger/format.h"

namespace hap::ledger {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (start <= text.size()) {
    const size_t end = std::min(text.find(separator, start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \r");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \r") - begin + 1);
}

// "CVE-2014-1891..CVE-2014-1894" -> the ids between; empty when it is no sensible range.
std::vector<std::string> expand(const std::string& first, const std::string& last) {
  const size_t dash = first.rfind('-');
  if (dash == std::string::npos || last.substr(0, dash + 1) != first.substr(0, dash + 1)) return {};
  const auto number = [dash](const std::string& id) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(id.data() + dash + 1, id.data() + id.size(), value);
    return error == std::errc{} && end == id.data() + id.size() ? std::optional<uint64_t>(value)
                                                                : std::nullopt;
  };
  const auto from = number(first);
  const auto to = number(last);
  if (!from || !to || *to < *from || *to - *from > 1000) return {};
  std::vector<std::string> ids;
  const size_t width = first.size() - dash - 1;
  for (uint64_t n = *from; n <= *to; ++n) {
    std::string digits = std::to_string(n);
    if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
    ids.push_back(first.substr(0, dash + 1) + digits);
  }
  return ids;
}

constexpr std::array<std::string_view, 9> columns{"cell",   "impact",   "tier",      "id",  "advisory",
                                                  "public", "attacker", "component", "note"};

// "# covers: published 2014" or "... 2014-2016".
std::optional<YearSpan> read_covers(const std::string& line) {
  constexpr std::string_view mark = "# covers: published ";
  if (!line.starts_with(mark)) return std::nullopt;
  const auto years = split(trimmed(line.substr(mark.size())), '-');
  const auto year = [](const std::string& text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value >= 1990 && value <= 2100 ? value
                                                                                                      : 0;
  };
  const int from = year(years.front());
  const int to = year(years.back());
  if (from == 0 || to < from || years.size() > 2) return std::nullopt;
  return YearSpan{from, to};
}

}  // namespace

bool ClassificationFile::decides(const std::string& technology) const {
  return std::any_of(rows.begin(), rows.end(),
                     [&technology](const HandRow& row) { return row.technology == technology; });
}

Result<ClassificationFile> ClassificationFile::parse(const std::string& text, const std::string& path) {
  ClassificationFile file;
  file.origin = std::filesystem::path(path).filename().string();
  file.digest = sha256_hex(text);
  std::map<std::string, size_t> at;
  size_t number = 0;
  const auto fail = [&](const std::string& why) {
    return Error("line " + std::to_string(number) + ": " + why, ErrorKind::corrupt).at(path);
  };
  for (const auto& raw : split(text, '\n')) {
    ++number;
    if (trimmed(raw).empty()) continue;
    if (raw.front() == '#') {
      if (raw.starts_with("# covers:")) {
        file.covers = read_covers(raw);
        if (!file.covers)
          return fail("write \"# covers: published YEAR\" or \"# covers: published YEAR-YEAR\"");
      }
      continue;
    }
    auto cells = split(raw, '\t');
    if (at.empty()) {
      for (size_t i = 0; i < cells.size(); ++i) {
        const std::string name = trimmed(cells[i]);
        if (std::find(columns.begin(), columns.end(), name) == columns.end())
          return fail("unknown column \"" + name + "\"");
        at[name] = i;
      }
      for (const char* needed : {"cell", "impact", "tier", "id"}) {
        if (at.count(needed) == 0) return fail(std::string("the column \"") + needed + "\" is missing");
      }
      continue;
    }
    if (cells.size() > at.size()) return fail("more fields than columns");
    const auto field = [&](const char* name) {
      const auto found = at.find(name);
      return found == at.end() || found->second >= cells.size() ? std::string()
                                                                : trimmed(cells[found->second]);
    };
    HandRow row;
    row.line = number;
    row.technology = field("cell");
    row.attacker = field("attacker");
    row.component = field("component");
    row.note = field("note");
    if (row.technology.empty()) return fail("no technology");
    const auto tier = parse_tier(field("tier"));
    if (!tier) return fail("the tier must be core, upper, alt or excl, not \"" + field("tier") + "\"");
    row.tier = *tier;
    row.impact = parse_impact(field("impact"));
    if (row.technology == "none") {
      if (row.tier != Tier::excluded) return fail("technology \"none\" goes with tier excl only");
      row.impact.reset();
    } else if (!row.impact) {
      return fail("the impact must be pe, dos or il, not \"" + field("impact") + "\"");
    }
    if (const std::string date = field("public"); !date.empty()) {
      row.date = parse_date(date);
      if (!row.date) return fail("\"" + date + "\" is not a date");
    }
    for (const auto& part : split(field("id"), ',')) {
      const std::string id = trimmed(part);
      const size_t dots = id.find("..");
      if (dots == std::string::npos) {
        if (!valid_id(id)) return fail("\"" + id + "\" is not a record id");
        row.ids.push_back(id);
        continue;
      }
      const auto ids = expand(id.substr(0, dots), id.substr(dots + 2));
      if (ids.empty()) return fail("\"" + id + "\" is not a range of record ids");
      row.ids.insert(row.ids.end(), ids.begin(), ids.end());
    }
    for (const auto& part : split(field("advisory"), ',')) {
      if (!trimmed(part).empty()) row.advisories.push_back(trimmed(part));
    }
    file.rows.push_back(std::move(row));
  }
  if (at.empty()) return Error("no header line", ErrorKind::corrupt).at(path);
  return file;
}

Result<ClassificationFile> ClassificationFile::load(const std::string& path) {
  HAP_TRY(text, read_file(path, size_t{64} << 20));
  return parse(text, path);
}

}  // namespace hap::ledger
