#include "cli/text_table.h"

#include <algorithm>
#include <sstream>

namespace hap::cli {
namespace {

// Where a word wider than a line (a path, as a rule) is broken: behind a '/' when there is one.
size_t break_of(const std::string& word, size_t width) {
  const size_t slash = word.rfind('/', width - 1);
  return slash == std::string::npos || slash == 0 ? width : slash + 1;
}

std::vector<std::string> wrap(const std::string& text, size_t width) {
  std::vector<std::string> lines(1);
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    while (word.size() > width) {
      if (!lines.back().empty()) lines.emplace_back();
      const size_t end = break_of(word, width);
      lines.back() = word.substr(0, end);
      lines.emplace_back();
      word.erase(0, end);
    }
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
