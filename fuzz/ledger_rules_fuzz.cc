// Any text as a rules file, a classification file, a version, a phrase.
#include <cstdint>
#include <string>

#include "hap/exposure.h"
#include "ledger/classification_file.h"
#include "ledger/rules.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)hap::ledger::ClassificationFile::parse(text, "fuzz.tsv").ok();
  (void)hap::ledger::compare_versions(text, "6.12.48");
  (void)hap::ledger::upstream_version(text);
  (void)hap::ledger::normalise_source_path(text);
  hap::ledger::Record record;
  record.id = "CVE-2024-0001";
  record.products = {"linux"};
  record.description = text;
  record.rationale = text;
  record.affected = {{"linux", false, {{true, text, "6.13", ""}, {false, "6.1", "", text}}}};
  (void)hap::ledger::openness_of(record, "6.12.48");
  auto rules = hap::ledger::Rules::parse(text, "fuzz.toml");
  if (rules) (void)rules->classify(record);
  return 0;
}
