// Names of the measured system as text for a terminal: processes, files and containers choose their names
// freely, and a name must not move the cursor, retitle the window, or turn the line around.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hap {

// Control characters (line ends too), bytes that are no UTF-8, and characters that are invisible or change
// the direction of writing are written out: "\x1b", "\n", "\u202e". Everything else is as it was.
std::string printable(std::string_view text);

// The same, cut to `width` characters: what is cut off is shown as "...".
std::string printable(std::string_view text, std::size_t width);

// Characters of UTF-8 text, as columns are counted (wide characters count once).
std::size_t text_width(std::string_view text);

// A whole text of several lines made safe to show: like printable(), but line ends, tabs and the colours of
// the program's own (ESC [ digits m) stay.
std::string printable_lines(std::string_view text);

}  // namespace hap
