// Calendar dates as the sources write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hap::ledger {

// The YYYY-MM-DD at the start of a date or time stamp ("2024-02-20T12:52:33Z", "2015-10-29 12:00"). Empty for
// anything that is not a day of the calendar between 1990 and 2100.
std::optional<std::string> parse_date(std::string_view text);

// The year in "CVE-2024-26581", "XSA-..." has none.
std::optional<int> year_in_id(std::string_view id);

}  // namespace hap::ledger
