// CVE 5.x records (CVE Record Format), one document each: the public CVE list, and the kernel CNA's own vulns
// repository, which writes `cveID` for `cveId` and leaves the dates out.
#include <algorithm>

#include "ledger/format.h"

namespace hap::ledger {
namespace {

template <typename T>
void add_once(std::vector<T>& list, T item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(std::move(item));
}

void read_metrics(Fields& cna, Record& record) {
  for (const auto& metric : cna.array("metrics")) {
    Fields fields(metric);
    for (const char* version : {"cvssV3_1", "cvssV3_0"}) {
      const Json& score = fields.object(version);
      if (score.empty() || !record.cvss.empty()) continue;
      Fields vector(score);
      record.cvss = vector.text("vectorString");
      for (const auto& scenario : fields.array("scenarios")) {
        Fields text(scenario);
        record.rationale += text.text("value") + "\n";
        cna.fail(text.trouble());
      }
    }
  }
}

void read_affected(Fields& cna, Record& record) {
  for (const auto& entry : cna.array("affected")) {
    Fields fields(entry);
    Affected affected;
    affected.product = product_name(fields.text("product"));
    affected.default_affected = fields.text("defaultStatus") == "affected";
    if (!affected.product.empty()) add_once(record.products, affected.product);
    for (auto& file : fields.texts("programFiles")) add_once(record.files, std::move(file));
    for (const auto& routine : fields.array("programRoutines")) {
      Fields named(routine);
      const std::string name = named.text("name");
      // The file of a routine is only certain when the entry names a single one.
      if (!name.empty() && fields.array("programFiles").size() == 1) {
        record.functions.push_back({fields.array("programFiles")[0].get<std::string>(), name});
      }
    }
    for (const auto& item : fields.array("versions")) {
      Fields range(item);
      VersionRange version;
      version.affected = range.text("status") == "affected";
      version.from = range.text("version");
      version.below = range.text("lessThan");
      version.through = range.text("lessThanOrEqual");
      const std::string kind = range.text("versionType");
      fields.fail(range.trouble());
      if (kind == "git") {
        // A range of commits says what fixed it, not which releases it is in.
        const std::string& fix = version.below.empty() ? version.through : version.below;
        if (!fix.empty() && fix != "*") add_once(record.fixes, fix);
        continue;
      }
      affected.versions.push_back(std::move(version));
    }
    cna.fail(fields.trouble());
    if (!affected.versions.empty()) record.affected.push_back(std::move(affected));
  }
}

class Cve5 : public RecordFormat {
 public:
  std::string name() const override { return "cve5"; }

  bool accepts(const Json& document) const override {
    return document.is_object() && document.contains("cveMetadata") && document.contains("containers");
  }

  void read(const Json& document, RecordSink& sink) const override {
    Fields top(document);
    Fields metadata(top.object("cveMetadata"));
    Record record;
    record.id = metadata.text("cveId");
    if (record.id.empty()) record.id = metadata.text("cveID");
    record.published = metadata.date("datePublished");
    const std::string state = metadata.text("state");
    Fields containers(top.object("containers"));
    Fields cna(containers.object("cna"));
    if (!record.published) record.published = cna.date("datePublic");
    record.title = cna.text("title");
    for (const auto& item : cna.array("descriptions")) {
      Fields text(item);
      if (record.description.empty() && text.text("lang").starts_with("en"))
        record.description = text.text("value");
      cna.fail(text.trouble());
    }
    read_metrics(cna, record);
    read_affected(cna, record);
    for (const auto* fields : {&metadata, &containers, &cna}) top.fail(fields->trouble());
    if (!top.trouble().empty()) return sink.malformed("", top.trouble());
    if (state == "REJECTED") return;  // withdrawn by its CNA: not a vulnerability
    if (record.files.empty()) add_named_places(record);
    sink.record(std::move(record), "");
  }
};

}  // namespace

std::unique_ptr<RecordFormat> make_cve5_format() {
  return std::make_unique<Cve5>();
}

}  // namespace hap::ledger
