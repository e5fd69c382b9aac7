// What hap says to wrong requests: exit status 2, what is wrong, and what would be right.
#include "program/hap_program.h"

namespace hap::testing {
namespace {

using ::testing::Test;

TEST(WrongUse, NoCommandAndUnknownCommandAreUsageErrors) {
  EXPECT_EQ(hap({}).exit_code, 2);
  EXPECT_EQ(hap({"frobnicate"}).exit_code, 2);
  EXPECT_EQ(hap({"report", "--format", "pdf", "x.hap"}).exit_code, 2);
}

TEST(WrongUse, AnUnknownSandboxIsNamedWithThoseThatExist) {
  const auto seen =
      hap({"measure", "--sandbox", "no-such-sandbox", "--workload", "redis-set", "-o", "/dev/null/x.hap"});
  EXPECT_EQ(seen.exit_code, 2);
  EXPECT_NE(seen.err.find("no-such-sandbox"), std::string::npos) << seen.err;
  for (const char* name : {"bare", "docker-default", "gvisor-systrap", "kvm-qemu"}) {
    EXPECT_NE(seen.err.find(name), std::string::npos) << seen.err;
  }
}

TEST(WrongUse, AnUnknownWorkloadIsNamedWithThoseThatExist) {
  const auto seen =
      hap({"measure", "--sandbox", "bare", "--workload", "no-such-load", "-o", "/dev/null/x.hap"});
  EXPECT_EQ(seen.exit_code, 2);
  EXPECT_NE(seen.err.find("no-such-load"), std::string::npos) << seen.err;
  EXPECT_NE(seen.err.find("redis-set"), std::string::npos) << seen.err;
}

TEST(WrongUse, DiagnosticsGoToStandardErrorOnly) {
  const auto seen = hap({"report", "/nonexistent/none.hap"});
  EXPECT_EQ(seen.exit_code, 2) << "an argument that names no file is wrong use";
  EXPECT_EQ(seen.out, "");
  EXPECT_NE(seen.err.find("/nonexistent/none.hap"), std::string::npos);
}

class LabNotBuilt : public ScratchTest {};

TEST_F(LabNotBuilt, MeasureSaysWhatToRun) {
  const auto seen = hap({"measure", "--sandbox", "bare", "--workload", "redis-set", "-o", scratch("x.hap")},
                        {{"HAP_CACHE_DIR", scratch("cache")}});
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_NE(seen.err.find("hap lab build"), std::string::npos) << seen.err;
  EXPECT_FALSE(std::filesystem::exists(scratch("x.hap")));
}

TEST(Help, EveryCommandHasAnExample) {
  const auto overview = hap({"--help"});
  EXPECT_EQ(overview.exit_code, 0);
  for (const char* command :
       {"doctor", "list", "lab", "measure", "report", "diff", "compare", "campaign", "ledger"}) {
    EXPECT_NE(overview.out.find(std::string("\n  ") + command), std::string::npos) << command;
    const auto help = hap({command, "--help"});
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_NE(help.out.find("hap " + std::string(command)), std::string::npos) << command << "\n" << help.out;
    EXPECT_NE(help.out.find("Example"), std::string::npos) << command;
  }
}

TEST(Listing, EveryListingSpeaksJson) {
  for (const char* what : {"sandboxes", "workloads", "collectors", "metrics", "formats"}) {
    const auto seen = hap({"list", what, "--format", "json"});
    EXPECT_EQ(seen.exit_code, 0) << what << seen.err;
    EXPECT_FALSE(seen.json().is_discarded()) << what;
    EXPECT_FALSE(seen.json().empty()) << what;
  }
}

}  // namespace
}  // namespace hap::testing
