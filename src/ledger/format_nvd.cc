// NVD 2.0: pages of the API and the yearly feeds, {"vulnerabilities": [{"cve": {...}}]}.
#include <algorithm>

#include "ledger/format.h"

namespace hap::ledger {
namespace {

// "cpe:2.3:o:linux:linux_kernel:6.1.5:*:..." -> product, version.
struct Cpe {
  std::string product;
  std::string version;
};

Cpe parse_cpe(const std::string& text) {
  Cpe cpe;
  size_t field = 0;
  std::string part;
  const auto take = [&] {
    if (field == 4) cpe.product = part;
    if (field == 5) cpe.version = part;
    ++field;
    part.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      part += text[++i];
    } else if (text[i] == ':') {
      take();
    } else {
      part += text[i];
    }
  }
  take();
  return cpe;
}

void read_match(const Json& item, Fields& parent, Record& record) {
  Fields fields(item);
  const Cpe cpe = parse_cpe(fields.text("criteria"));
  VersionRange range;
  range.from = fields.text("versionStartIncluding");
  range.below = fields.text("versionEndExcluding");
  range.through = fields.text("versionEndIncluding");
  // An exclusive start has no form in our ranges; starting there is off by the one excluded version.
  if (range.from.empty()) range.from = fields.text("versionStartExcluding");
  parent.fail(fields.trouble());
  const auto vulnerable = item.is_object() ? item.find("vulnerable") : item.end();
  if (!item.is_object() || vulnerable == item.end() || !vulnerable->is_boolean() || !vulnerable->get<bool>())
    return;
  if (cpe.product.empty()) return;
  const std::string product = product_name(cpe.product);
  if (std::find(record.products.begin(), record.products.end(), product) == record.products.end()) {
    record.products.push_back(product);
  }
  if (range.from.empty() && range.below.empty() && range.through.empty()) {
    if (cpe.version.empty() || cpe.version == "*" || cpe.version == "-")
      return;  // every version: says nothing
    range.from = cpe.version;
  }
  const auto known = std::find_if(record.affected.begin(), record.affected.end(),
                                  [&product](const Affected& a) { return a.product == product; });
  if (known == record.affected.end()) {
    record.affected.push_back({product, false, {std::move(range)}});
  } else {
    known->versions.push_back(std::move(range));
  }
}

Record read_cve(Fields& fields) {
  Record record;
  record.id = fields.text("id");
  record.published = fields.date("published");
  for (const auto& item : fields.array("descriptions")) {
    Fields text(item);
    if (record.description.empty() && text.text("lang") == "en") record.description = text.text("value");
    fields.fail(text.trouble());
  }
  Fields metrics(fields.object("metrics"));
  for (const char* version : {"cvssMetricV31", "cvssMetricV30", "cvssMetricV2"}) {
    for (const auto& item : metrics.array(version)) {
      if (!record.cvss.empty()) break;
      Fields metric(item);
      Fields score(metric.object("cvssData"));
      record.cvss = score.text("vectorString");
      metrics.fail(metric.trouble());
      metrics.fail(score.trouble());
    }
  }
  fields.fail(metrics.trouble());
  for (const auto& configuration : fields.array("configurations")) {
    Fields parts(configuration);
    for (const auto& node : parts.array("nodes")) {
      Fields matches(node);
      for (const auto& match : matches.array("cpeMatch")) read_match(match, fields, record);
      fields.fail(matches.trouble());
    }
    fields.fail(parts.trouble());
  }
  return record;
}

class Nvd : public RecordFormat {
 public:
  std::string name() const override { return "nvd2"; }

  bool accepts(const Json& document) const override {
    return document.is_object() && document.contains("vulnerabilities") &&
           document["vulnerabilities"].is_array();
  }

  void read(const Json& document, RecordSink& sink) const override {
    size_t number = 0;
    for (const auto& item : document["vulnerabilities"]) {
      const std::string position = "/vulnerabilities/" + std::to_string(number++);
      Fields entry(item);
      Fields fields(entry.object("cve"));
      Record record = read_cve(fields);
      entry.fail(fields.trouble());
      if (fields.text("vulnStatus") == "Rejected") continue;
      if (!entry.trouble().empty()) {
        sink.malformed(position, entry.trouble());
        continue;
      }
      add_named_places(record);
      sink.record(std::move(record), position);
    }
  }
};

}  // namespace

std::unique_ptr<RecordFormat> make_nvd_format() {
  return std::make_unique<Nvd>();
}

}  // namespace hap::ledger
