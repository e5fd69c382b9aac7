// hap doctor from the outside: what it says of sandboxes that cannot work here.
#include <algorithm>

#include "program/hap_program.h"

namespace hap::testing {
namespace {

// Intent: runtimes that Debian has no package of are missing, and doctor says what is.
TEST(Doctor, SaysWhatTheSandboxesWithoutAPackageLack) {
  const auto findings =
      hap({"doctor", "--format", "json"}, {}, std::chrono::seconds(120)).json().at("findings");
  for (const char* name : {"kata-fc", "kata-qemu", "nabla", "gvisor-kvm"}) {
    SCOPED_TRACE(name);
    const auto found = std::find_if(findings.begin(), findings.end(), [&](const nlohmann::json& finding) {
      return finding.at("area") == "sandbox" && finding.at("name") == name;
    });
    ASSERT_NE(found, findings.end());
    EXPECT_NE(found->at("health"), "works");
    EXPECT_FALSE(found->at("why").get<std::string>().empty());
  }
}

}  // namespace
}  // namespace hap::testing
