#include "cli/terminal.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace hap::cli {

bool wants_color(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && ::isatty(fd) != 0;
}

void print_error(const Error& error) {
  const bool color = wants_color(STDERR_FILENO);
  std::fprintf(stderr, "hap: %serror:%s %s\n", color ? "\033[31m" : "", color ? "\033[0m" : "",
               error.to_string().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "  %s\n", error.hint().c_str());
}

Status print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return Error::from_errno("cannot write to standard output", errno);
  }
  return {};
}

}  // namespace hap::cli
