// What the front end knows about the terminal, and how it shows errors.
#pragma once

#include <string>

#include "hap/result.h"

namespace hap::cli {

bool wants_color(int fd);

// "hap: error: ..." and, on its own line, the hint, to standard error.
void print_error(const Error& error);

// Writes to standard output; a failure (disk full, closed pipe) is an Error. On a terminal, whatever the
// format, control characters but line ends, tabs and colours are written out (base/printable.h).
Status print(const std::string& text);

}  // namespace hap::cli
