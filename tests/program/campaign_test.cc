// hap campaign from the outside, where no lab is needed: what it says about cells that cannot be measured.
#include <fstream>

#include "program/hap_program.h"

namespace hap::testing {
namespace {

class Campaign : public ScratchTest {};

// Intent: a cell's wrong options are a reason like any other, in the words of the program that refused them.
TEST_F(Campaign, GivesTheReasonForOptionsThatDoNotExist) {
  std::ofstream(scratch("cells.toml")) << R"(
name = "wrong"
[[cell]]
sandbox = "bare"
workload = "redis-set"
label = "wrong-option"
options = ["--no-such-option"]
[[cell]]
sandbox = "bare"
workload = "redis-set"
label = "wrong-value"
options = ["--windows", "many"]
)";
  const auto seen = hap({"campaign", scratch("cells.toml"), "-o", scratch("cells"), "--format", "json"});
  EXPECT_EQ(seen.exit_code, 1) << seen.err;
  const auto cells = seen.json().at("cells");
  ASSERT_EQ(cells.size(), 2U);
  for (const auto& cell : cells) EXPECT_EQ(cell.at("state"), "failed");
  EXPECT_NE(cells[0].at("reason").get<std::string>().find("--no-such-option"), std::string::npos) << seen.out;
  EXPECT_NE(cells[1].at("reason").get<std::string>().find("many"), std::string::npos) << seen.out;
}

}  // namespace
}  // namespace hap::testing
