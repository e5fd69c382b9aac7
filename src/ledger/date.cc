#include "ledger/date.h"

#include <array>
#include <charconv>

namespace hap::ledger {
namespace {

std::optional<int> digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::optional<std::string> parse_date(std::string_view text) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  if (text.size() > 10 && text[10] != 'T' && text[10] != ' ') return std::nullopt;
  const auto year = digits(text.substr(0, 4));
  const auto month = digits(text.substr(5, 2));
  const auto day = digits(text.substr(8, 2));
  if (!year || !month || !day || *year < 1990 || *year > 2100 || *month < 1 || *month > 12)
    return std::nullopt;
  constexpr std::array<int, 12> lengths{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
  const int length = *month == 2 && leap ? 29 : lengths[static_cast<size_t>(*month - 1)];
  if (*day < 1 || *day > length) return std::nullopt;
  return std::string(text.substr(0, 10));
}

std::optional<int> year_in_id(std::string_view id) {
  if (!id.starts_with("CVE-") || id.size() < 9 || id[8] != '-') return std::nullopt;
  return digits(id.substr(4, 4));
}

}  // namespace hap::ledger
