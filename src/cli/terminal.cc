#include "cli/terminal.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/printable.h"
#include "base/text_layout.h"

namespace hap::cli {

bool wants_color(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && ::isatty(fd) != 0;
}

void print_error(const Error& error) {
  const bool color = wants_color(STDERR_FILENO);
  std::fprintf(stderr, "hap: %serror:%s %s\n", color ? "\033[31m" : "", color ? "\033[0m" : "",
               printable_lines(error.to_string()).c_str());
  if (!error.hint().empty())
    std::fprintf(stderr, "%s\n", folded_lines("  " + printable_lines(error.hint())).c_str());
}

Status print(const std::string& text) {
  // Formats for programs hold names as they are; a terminal must not obey them.
  const std::string shown = ::isatty(STDOUT_FILENO) != 0 ? printable_lines(text) : std::string();
  const std::string& out = shown.empty() ? text : shown;
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) {
    return Error::from_errno("cannot write to standard output", errno);
  }
  return {};
}

}  // namespace hap::cli
