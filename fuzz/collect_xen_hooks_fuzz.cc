// Xen's map of symbols, on any bytes.
#include "collect/emulator/xen_hooks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view map(reinterpret_cast<const char*>(data), size);
  (void)hap::collect::xen_text(map);
  (void)hap::collect::xen_hooks_text(map, "ffffffff81031480 T xen_iret\nffffffff82c22000 D init_top_pgt\n");
  return 0;
}
