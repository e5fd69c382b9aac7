// The page that web/ builds: markup, style and program in one text, with one mark where the data goes.
#pragma once

#include <string_view>

namespace hap::report {

// The built page. It contains page_data_mark exactly once.
std::string_view page_template();

inline constexpr std::string_view page_data_mark = "<!--hap:data-->";

}  // namespace hap::report
