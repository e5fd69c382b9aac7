// Lists of traceable functions, on any bytes: the text before a NUL is a symbol table, that behind it the
// list.
#include <string_view>

#include "collect/traceable.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hap::collect;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t middle = text.find('\0');
  if (middle == std::string_view::npos) return 0;
  if (const auto symbols = Kallsyms::parse(text.substr(0, middle))) {
    (void)parse_traceable(text.substr(middle + 1), *symbols);
  }
  return 0;
}
