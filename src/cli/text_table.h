// Aligned columns of plain text, at most `width` characters wide: the last column wraps.
#pragma once

#include <string>
#include <vector>

namespace hap::cli {

using TextRow = std::vector<std::string>;

std::string text_table(const std::vector<TextRow>& rows, size_t width = 100);

}  // namespace hap::cli
