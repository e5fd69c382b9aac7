// Any bytes as a stream of records: line splitting, JSON, every source format.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "ledger/import.h"

namespace {

class Bytes : public hap::ledger::ByteStream {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  hap::Result<size_t> read(char* buffer, size_t size) override {
    // Small pieces, so that lines and peeking cross them.
    const size_t count = std::min({size, bytes_.size(), size_t{61}});
    std::copy_n(bytes_.data(), count, buffer);
    bytes_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hap::ledger::ImportOptions options;
  options.line_bytes = 4096;
  options.document_bytes = 1 << 20;
  for (const char* name : {"fuzz.json", "fuzz.jsonl"}) {
    Bytes bytes({reinterpret_cast<const char*>(data), size});
    const auto status = hap::ledger::read_stream(
        name, bytes, options,
        [](hap::ledger::Record record) -> hap::Status {
          // What is accepted is whole: an id that is safe to keep, a position, no absurd date.
          if (!hap::ledger::valid_id(record.id) || record.sources.size() != 1) std::abort();
          if (record.published && record.published->size() != 10) std::abort();
          (void)hap::ledger::to_json({record, {}});
          return {};
        },
        [](hap::ledger::ImportIssue issue) {
          if (issue.message.empty()) std::abort();
        });
    if (!status) std::abort();  // the stream itself never fails
  }
  return 0;
}
