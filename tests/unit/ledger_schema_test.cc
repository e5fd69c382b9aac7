// Records as JSON follow docs/ledger.schema.json.
#include <gmock/gmock.h>

#include <fstream>

#include "json_schema.h"
#include "ledger_fixture.h"

namespace hap::ledger {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

class SchemaTest : public LedgerTest {};

TEST_F(SchemaTest, RecordsOfEveryKindFollowIt) {
  std::ifstream file(HAP_SOURCE_DIR "/docs/ledger.schema.json");
  const hap::testing::JsonSchema schema(nlohmann::json::parse(file));
  ASSERT_TRUE(
      import(
          {write(
               "cve.json",
               R"({"cveMetadata":{"cveId":"CVE-2023-0002","state":"PUBLISHED","datePublished":"2023-05-06"},"containers":{"cna":{"title":"t",
      "descriptions":[{"lang":"en","value":"d"}],"affected":[{"product":"Linux","defaultStatus":"affected","programFiles":["arch/x86/kvm/x86.c"],"programRoutines":[{"name":"f"}],
      "versions":[{"version":"5.9","status":"affected"}]}]}}})"),
           write("cna.jsonl", "{\"id\":\"CVE-2024-0001\",\"title\":\"t\",\"files\":[]}\n"),
           write("xsa.json", R"({"xsas":[{"xsa":1,"title":"t","public_time":"2012-09-05"}]})")})
          .ok());
  auto opened = book();
  ASSERT_TRUE(opened.ok());
  int checked = 0;
  for (const auto& record : opened->records) {
    EXPECT_THAT(schema.findings(nlohmann::json::parse(to_json(record))), IsEmpty()) << record.record.id;
    ++checked;
  }
  EXPECT_GT(checked, 50) << "the shipped classifications are records, too";
  auto broken = nlohmann::json::parse(to_json(opened->records.front()));
  broken["dates"]["published"] = 2014;
  EXPECT_THAT(schema.findings(broken), Not(IsEmpty()));
  broken.erase("dates");
  EXPECT_THAT(schema.findings(broken), Not(IsEmpty()));
}

}  // namespace
}  // namespace hap::ledger
