// The user's density table, in both forms.
#include <cstddef>
#include <cstdint>
#include <string>

#include "hap/density.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const char* name : {"table.toml", "table.csv"}) {
    const auto model = hap::parse_density_table(text, name);
    if (model) (void)model->per_kloc({"f", "net/ipv4/tcp.c", 10});
  }
  return 0;
}
