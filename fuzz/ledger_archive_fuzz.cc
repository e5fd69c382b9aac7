// Any bytes as an input file: compressed, archive, or plain.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "ledger/import.h"

namespace {

class Reader : public hap::ledger::InputVisitor {
 public:
  hap::Status stream(const std::string& name, hap::ledger::ByteStream& bytes) override {
    hap::ledger::ImportOptions options;
    options.line_bytes = 4096;
    options.document_bytes = 1 << 20;
    return hap::ledger::read_stream(
        name, bytes, options, [](hap::ledger::Record) -> hap::Status { return {}; },
        [](hap::ledger::ImportIssue) {});
  }
  void ignored(const std::string&) override {}
  void refused(const std::string&, const std::string&) override {}
  bool advance(uint64_t, uint64_t) override { return true; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int fd = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || ::write(fd, data, size) != static_cast<ssize_t>(size)) {
    if (fd >= 0) ::close(fd);
    return 0;
  }
  hap::ledger::InputLimits limits;
  limits.total_bytes = 8 << 20;
  Reader reader;
  (void)hap::ledger::walk_input("/proc/self/fd/" + std::to_string(fd), limits, reader).ok();
  ::close(fd);
  return 0;
}
