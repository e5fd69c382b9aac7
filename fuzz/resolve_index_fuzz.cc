// A hostile index file: it is refused, or every query stays inside it. Seeds: small indexes.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/unique_fd.h"
#include "hap/resolver.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const hap::UniqueFd file(::memfd_create("index", MFD_CLOEXEC));
  if (!file.valid() || ::write(file.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  const auto index = hap::Index::open("/proc/self/fd/" + std::to_string(file.get()));
  if (!index) return 0;
  hap::RangeResolution resolution;
  const std::size_t functions = std::min<std::size_t>(index->function_count(), 64);
  for (hap::FunctionId id = 0; id < functions; ++id) {
    index->find_functions(index->function(id).name);
    index->callees(id);
    index->imported_callees(id);
    for (const auto& range : index->ranges(id)) {
      index->resolve_range(range.begin, range.end - range.begin, resolution);
      index->frames_at(range.begin);
      index->symbol_at(range.begin);
    }
  }
  hap::reachable_functions({&*index}, {{0, 0}});
  index->find_symbol("main");
  index->syscall_entries();
  index->sections();
  index->stats();
  index->verify();
  return 0;
}
