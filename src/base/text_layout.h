// Text for people fits in 100 columns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hap {

inline constexpr std::size_t kTextColumns = 100;

// Every line that is longer than `width` folded at spaces. What continues it is indented by four more than
// the line, or begins at column `hanging` where the line has text from there on and white space before it
// (the second column of a list). A word that fits nowhere is cut.
std::string folded_lines(std::string_view text, std::size_t width = kTextColumns, std::size_t hanging = 0);

// A table of a label and value columns, each column as wide as it needs; where they do not fit side by side,
// one block of columns below the other, each with the labels. Rows may be of different length; the first is
// the heading.
std::string column_blocks(const std::vector<std::vector<std::string>>& rows,
                          std::size_t width = kTextColumns);

}  // namespace hap
