// The kernel CNA's vulns repository reduced to one line per record: id, title, files of the fix, CVSS vector
// and the written reason per metric. It has neither dates nor affected ranges.
#include "ledger/format.h"

namespace hap::ledger {
namespace {

class KernelCompact : public RecordFormat {
 public:
  std::string name() const override { return "kernel-compact"; }

  bool accepts(const Json& document) const override {
    return document.is_object() && document.contains("id") && document.contains("files") &&
           document.contains("title");
  }

  void read(const Json& document, RecordSink& sink) const override {
    Fields fields(document);
    Record record;
    record.id = fields.text("id");
    record.title = fields.text("title");
    record.files = fields.texts("files");
    record.cvss = fields.text("cvss");
    record.rationale = fields.text("why");
    record.products = {"linux"};
    if (!fields.trouble().empty()) return sink.malformed("", fields.trouble());
    sink.record(std::move(record), "");
  }
};

}  // namespace

std::unique_ptr<RecordFormat> make_kernel_compact_format() {
  return std::make_unique<KernelCompact>();
}

}  // namespace hap::ledger
