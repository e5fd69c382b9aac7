#include "base/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace hap {
namespace {

struct Character {
  uint32_t code = 0;
  size_t bytes = 1;
  bool valid = false;
};

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// The character at `at`; one invalid byte where there is no UTF-8.
Character character_at(std::string_view text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return {first, 1, true};
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > text.size()) return {first, 1, false};
  uint32_t code = first & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if (!continues(text[at + i])) return {first, 1, false};
    code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fU);
  }
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < least[length] || surrogate || code > 0x10ffff) return {first, 1, false};
  return {code, length, true};
}

bool between(uint32_t code, uint32_t low, uint32_t high) {
  return code >= low && code <= high;
}

// Controls, line separators, and what is invisible or changes the direction of writing.
bool deceives(uint32_t code) {
  return code < 0x20 || between(code, 0x7f, 0x9f) || code == 0xad || code == 0x61c ||
         between(code, 0x200b, 0x200f) || between(code, 0x2028, 0x202e) || between(code, 0x2060, 0x2069) ||
         code == 0xfeff || between(code, 0xfff9, 0xfffb) || between(code, 0xe0000, 0xe007f);
}

std::string written_out(const Character& character) {
  if (!character.valid) return fmt::format("\\x{:02x}", character.code);
  switch (character.code) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      break;
  }
  if (character.code < 0x100) return fmt::format("\\x{:02x}", character.code);
  if (character.code < 0x10000) return fmt::format("\\u{:04x}", character.code);
  return fmt::format("\\U{:08x}", character.code);
}

// Length of a colour sequence at `at`; 0: there is none.
size_t colour_at(std::string_view text, size_t at) {
  if (text.substr(at, 2) != "\x1b[") return 0;
  size_t end = at + 2;
  while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == ';')) ++end;
  return end < text.size() && text[end] == 'm' ? end + 1 - at : 0;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (character.valid && !deceives(character.code)) {
      out += text.substr(at, character.bytes);
    } else {
      out += written_out(character);
    }
    at += character.bytes;
  }
  return out;
}

std::string printable(std::string_view text, std::size_t width) {
  const std::string whole = printable(text);
  if (text_width(whole) <= width) return whole;
  constexpr std::string_view cut_off = "...";
  const size_t kept = width > cut_off.size() ? width - cut_off.size() : 0;
  size_t at = 0;
  for (size_t characters = 0; characters < kept; ++characters) at += character_at(whole, at).bytes;
  return whole.substr(0, at) + std::string(cut_off.substr(0, std::min(width, cut_off.size())));
}

std::size_t text_width(std::string_view text) {
  size_t characters = 0;
  for (const char c : text) characters += continues(c) ? 0 : 1;
  return characters;
}

std::string printable_lines(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    const size_t colour = colour_at(text, at);
    if (colour > 0) {
      out += text.substr(at, colour);
      at += colour;
      continue;
    }
    const bool layout = character.code == '\n' || character.code == '\t';
    if (character.valid && (layout || !deceives(character.code))) {
      out += text.substr(at, character.bytes);
    } else {
      out += written_out(character);
    }
    at += character.bytes;
  }
  return out;
}

}  // namespace hap
