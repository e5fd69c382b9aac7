#include "cli/text_table.h"

#include <algorithm>
#include <sstream>

namespace hap::cli {
namespace {

std::vector<std::string> wrap(const std::string& text, size_t width) {
  std::vector<std::string> lines(1);
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

}  // namespace

std::string text_table(const std::vector<TextRow>& rows, size_t width) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i + 1 < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string head;
    for (size_t i = 0; i + 1 < row.size(); ++i) {
      head += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    }
    const size_t room = width > head.size() + 20 ? width - head.size() : 20;
    bool first = true;
    for (const auto& line : wrap(row.empty() ? "" : row.back(), room)) {
      text += (first ? head : std::string(head.size(), ' ')) + line;
      text.erase(text.find_last_not_of(' ') + 1);
      text += '\n';
      first = false;
    }
  }
  return text;
}

}  // namespace hap::cli
