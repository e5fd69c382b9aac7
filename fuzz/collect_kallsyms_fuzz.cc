// The reader of kernel symbol tables, on any bytes.
#include "collect/emulator/kallsyms.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto symbols = hap::collect::Kallsyms::parse({reinterpret_cast<const char*>(data), size});
  if (symbols) (void)symbols->functions("schedule");
  return 0;
}
