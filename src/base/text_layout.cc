#include "base/text_layout.h"

#include <algorithm>

#include "base/printable.h"

namespace hap {
namespace {

// Bytes of the first `characters` characters.
size_t bytes_of(std::string_view text, size_t characters) {
  size_t at = 0;
  while (at < text.size()) {
    const bool continues = (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
    if (!continues && characters-- == 0) break;
    ++at;
  }
  return at;
}

size_t indent_of(std::string_view line, size_t hanging) {
  const size_t own = std::min(line.find_first_not_of(' '), line.size());
  const bool second_column =
      hanging > own && line.size() > hanging && line[hanging] != ' ' && line[hanging - 1] == ' ';
  return second_column ? hanging : own + 4;
}

void fold(std::string& out, std::string_view line, size_t width, size_t hanging) {
  const size_t indent = std::min(indent_of(line, hanging), width / 2);
  std::string rest(line);
  for (bool first = true; text_width(rest) > width; first = false) {
    const size_t end = bytes_of(rest, width);
    // Not in the indentation: that would fold nothing off.
    const size_t least = first ? std::min(rest.find_first_not_of(' '), rest.size()) : indent;
    size_t at = rest.rfind(' ', end);
    if (at == std::string::npos || at <= least) at = end;
    const size_t next = std::min(rest.find_first_not_of(' ', at), rest.size());
    std::string head = rest.substr(0, at);
    head.erase(head.find_last_not_of(' ') + 1);
    out += head + "\n";
    rest = std::string(indent, ' ') + rest.substr(next);
  }
  if (rest.find_first_not_of(' ') != std::string::npos || line.empty()) out += rest;
}

}  // namespace

std::string folded_lines(std::string_view text, std::size_t width, std::size_t hanging) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    fold(out, text.substr(at, end - at), width, hanging);
    if (end < text.size()) out += '\n';
    at = end + 1;
  }
  return out;
}

std::string column_blocks(const std::vector<std::vector<std::string>>& rows, std::size_t width) {
  constexpr size_t gap = 2;
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], text_width(row[i]));
  }
  std::string out;
  for (size_t begin = 1; begin < widths.size();) {
    size_t end = begin;
    size_t used = widths[0];
    do {
      used += gap + widths[end++];
    } while (end < widths.size() && used + gap + widths[end] <= width);
    if (begin > 1) out += '\n';
    for (const auto& row : rows) {
      std::string line;
      const auto put = [&](size_t column) {
        const std::string cell = column < row.size() ? row[column] : "";
        line += cell + std::string(widths[column] - text_width(cell) + gap, ' ');
      };
      put(0);
      for (size_t i = begin; i < end; ++i) put(i);
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
    begin = end;
  }
  return out;
}

}  // namespace hap
