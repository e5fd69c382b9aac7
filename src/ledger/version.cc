// Kernel versions: comparison, and the status of a version in the ranges of CVE 5.x.
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>

#include "hap/exposure.h"

namespace hap::ledger {
namespace {

struct Version {
  std::array<uint64_t, 4> part{};
  size_t parts = 0;
  uint64_t candidate = UINT64_MAX;  // "-rc3" -> 3; a release sorts after all its candidates
};

// "6.1.33", "6.5-rc1", "v4.19"; whatever follows the numbers must be a release candidate, '-', '+' or '~'.
std::optional<Version> parse(std::string_view text) {
  if (!text.empty() && text.front() == 'v') text.remove_prefix(1);
  Version version;
  while (true) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || version.parts == version.part.size()) return std::nullopt;
    version.part[version.parts++] = number;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (text.empty() || text.front() != '.') break;
    text.remove_prefix(1);
  }
  if (text.starts_with("-rc")) {
    const auto digits = text.substr(3);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), version.candidate);
    if (error != std::errc{}) return std::nullopt;
    return version;
  }
  if (!text.empty() && text.front() != '-' && text.front() != '+' && text.front() != '~') return std::nullopt;
  return version;
}

int compare(const Version& a, const Version& b) {
  if (a.part != b.part) return a.part < b.part ? -1 : 1;
  if (a.candidate != b.candidate) return a.candidate < b.candidate ? -1 : 1;
  return 0;
}

// Does `version` lie at or below `bound`? A bound may end in ".*" (the whole branch) or be "*" (for ever).
std::optional<bool> within(const Version& version, const std::string& bound) {
  if (bound == "*") return true;
  if (bound.ends_with(".*")) {
    const auto branch = parse(std::string_view(bound).substr(0, bound.size() - 2));
    if (!branch) return std::nullopt;
    for (size_t i = 0; i < branch->parts; ++i) {
      if (version.part[i] != branch->part[i]) return version.part[i] < branch->part[i];
    }
    return true;
  }
  const auto limit = parse(bound);
  if (!limit) return std::nullopt;
  return compare(version, *limit) <= 0;
}

// Empty when the range is not one of versions (a git range, an unreadable bound).
std::optional<bool> contains(const VersionRange& range, const Version& version) {
  if (range.below.empty() && range.through.empty()) {
    const auto only = parse(range.from);
    if (!only) return std::nullopt;
    return compare(version, *only) == 0;
  }
  if (!range.from.empty() && range.from != "0" && range.from != "*") {
    const auto from = parse(range.from);
    if (!from) return std::nullopt;
    if (compare(version, *from) < 0) return false;
  }
  if (!range.through.empty()) return within(version, range.through);
  if (range.below == "*") return true;
  const auto below = parse(range.below);
  if (!below) return std::nullopt;
  return compare(version, *below) < 0;
}

}  // namespace

std::optional<int> compare_versions(const std::string& a, const std::string& b) {
  const auto left = parse(a);
  const auto right = parse(b);
  if (!left || !right) return std::nullopt;
  return compare(*left, *right);
}

std::optional<std::string> upstream_version(const std::string& release, const std::string& version) {
  const std::string& text = version.empty() ? release : version;
  size_t end = 0;
  size_t dots = 0;
  while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) || text[end] == '.')) {
    dots += text[end] == '.' ? 1 : 0;
    ++end;
  }
  while (end > 0 && text[end - 1] == '.') --end;
  if (dots < 1 || end == 0) return std::nullopt;
  std::string number = text.substr(0, end);
  if (text.substr(end).starts_with("-rc")) {
    size_t tail = end + 3;
    while (tail < text.size() && std::isdigit(static_cast<unsigned char>(text[tail]))) ++tail;
    number = text.substr(0, tail);
  } else if (version.empty() && dots == 2 && number.ends_with(".0") && end + 1 < text.size() &&
             text[end] == '-' && std::isdigit(static_cast<unsigned char>(text[end + 1]))) {
    return std::nullopt;  // 6.1.0-40-amd64: the ABI name of a distribution, not a version
  }
  if (!parse(number)) return std::nullopt;
  return number;
}

std::string to_string(Openness openness) {
  switch (openness) {
    case Openness::open:
      return "open";
    case Openness::fixed_before:
      return "fixed before";
    case Openness::never_affected:
      return "never affected";
    case Openness::unknown:
      break;
  }
  return "unknown";
}

Openness openness_of(const Record& record, const std::optional<std::string>& text) {
  if (!text) return Openness::unknown;
  const auto version = parse(*text);
  if (!version) return Openness::unknown;
  bool judged = false;
  bool fixed = false;
  for (const auto& product : record.affected) {
    if (product.product != "linux") continue;
    bool known = false;  // at least one range of this entry is one of versions
    std::optional<bool> status;
    bool affected_earlier = false;  // some version below ours is affected: then ours is fixed, not spared
    for (const auto& range : product.versions) {
      const auto inside = contains(range, *version);
      if (!inside) continue;
      known = true;
      // A range of affected versions outranks one of unaffected versions, should a source overlap them.
      if (*inside) status = status.value_or(false) || range.affected;
      if (range.affected) {
        const auto from =
            range.from.empty() || range.from == "0" ? std::optional<Version>(Version{}) : parse(range.from);
        if (from && compare(*from, *version) < 0) affected_earlier = true;
      }
    }
    if (!known) continue;
    judged = true;
    if (status.value_or(product.default_affected)) return Openness::open;
    fixed = fixed || affected_earlier;
  }
  if (!judged) return Openness::unknown;
  return fixed ? Openness::fixed_before : Openness::never_affected;
}

}  // namespace hap::ledger
