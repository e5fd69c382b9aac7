// OSV records (osv.dev schema), one document each, or several in an array. A record with a CVE alias is filed
// under that id, so that it meets the other sources' facts.
#include <algorithm>

#include "ledger/date.h"
#include "ledger/format.h"

namespace hap::ledger {
namespace {

void read_range(const Json& item, Fields& parent, Affected& affected, Record& record) {
  Fields fields(item);
  const bool git = fields.text("type") == "GIT";
  VersionRange open;
  bool started = false;
  for (const auto& entry : fields.array("events")) {
    Fields event(entry);
    const std::string introduced = event.text("introduced");
    const std::string fixed = event.text("fixed");
    const std::string last = event.text("last_affected");
    parent.fail(event.trouble());
    if (git) {
      if (!fixed.empty()) record.fixes.push_back(fixed);
      continue;
    }
    if (!introduced.empty()) {
      open = VersionRange{};
      open.from = introduced;
      started = true;
    } else if (started && (!fixed.empty() || !last.empty())) {
      open.below = fixed;
      open.through = last;
      affected.versions.push_back(open);
      started = false;
    }
  }
  if (started) {
    open.through = "*";
    affected.versions.push_back(open);
  }
  parent.fail(fields.trouble());
}

void read_one(const Json& document, const std::string& position, RecordSink& sink) {
  Fields fields(document);
  Record record;
  record.id = fields.text("id");
  for (const auto& alias : fields.texts("aliases")) {
    if (year_in_id(alias)) {
      record.id = alias;
      break;
    }
  }
  record.published = fields.date("published");
  record.title = fields.text("summary");
  record.description = fields.text("details");
  for (const auto& item : fields.array("severity")) {
    Fields severity(item);
    if (severity.text("type") == "CVSS_V3") record.cvss = severity.text("score");
    fields.fail(severity.trouble());
  }
  for (const auto& item : fields.array("affected")) {
    Fields entry(item);
    Fields package(entry.object("package"));
    Affected affected;
    affected.product = product_name(package.text("name"));
    if (!affected.product.empty() && std::find(record.products.begin(), record.products.end(),
                                               affected.product) == record.products.end()) {
      record.products.push_back(affected.product);
    }
    for (const auto& range : entry.array("ranges")) read_range(range, fields, affected, record);
    fields.fail(entry.trouble());
    fields.fail(package.trouble());
    if (!affected.versions.empty()) record.affected.push_back(std::move(affected));
  }
  const auto withdrawn = fields.date("withdrawn");
  if (!fields.trouble().empty()) return sink.malformed(position, fields.trouble());
  if (withdrawn) return;
  sink.record(std::move(record), position);
}

bool one_record(const Json& document) {
  return document.is_object() && document.contains("id") && document.contains("affected") &&
         (document.contains("modified") || document.contains("schema_version") ||
          document.contains("aliases"));
}

class Osv : public RecordFormat {
 public:
  std::string name() const override { return "osv"; }

  bool accepts(const Json& document) const override {
    return one_record(document) || (document.is_array() && !document.empty() && one_record(document[0]));
  }

  void read(const Json& document, RecordSink& sink) const override {
    if (document.is_object()) return read_one(document, "", sink);
    size_t number = 0;
    for (const auto& item : document) read_one(item, "/" + std::to_string(number++), sink);
  }
};

}  // namespace

std::unique_ptr<RecordFormat> make_osv_format() {
  return std::make_unique<Osv>();
}

}  // namespace hap::ledger
