// Text for people: at most 100 columns, and names of the measured system do nothing to the terminal.
#include <gmock/gmock.h>

#include <sstream>

#include "base/printable.h"
#include "hap/recording.h"
#include "program/hap_program.h"

namespace hap::testing {
namespace {

using ::testing::HasSubstr;

// A name that clears the screen, retitles the window, ends its line and turns the next around.
constexpr const char* kHostile = "evil\x1b[2J\x1b]0;pwned\x07\r\n\u202e|`x`";

// A recording whose every name is hostile, long or both. There are no symbols for it, so that its figures are
// bytes.
Status write_hostile(const std::string& path, const std::string& sandbox) {
  const std::string longer(300, 'x');
  HAP_TRY(out, RecordingWriter::create(path));
  const std::map<std::string, std::string> meta = {
      {"sandbox", sandbox},
      {"workload", kHostile},
      {"profile", kHostile},
      {"label", kHostile},
      {"collector", "emulator"},
      {"granularity", "block"},
      {"kernel_release", kHostile},
      {"requests", "10"},
      {"requests_failed", "0"},
      {"context_switches", "9"},
      {"marks_paired", "1"},
      {"tool_version", "0.1.0"},
      {"created", "2026-11-22T12:00:00Z"},
      {"boot", kHostile},
      {"kernel_build_id", "00112233445566778899aabbccddeeff00112233"}};
  for (const auto& [key, value] : meta) HAP_CHECK(out.set_meta(key, value));
  HAP_CHECK(out.set_condition(kHostile, kHostile));
  Image kernel;
  kernel.id = 1;
  kernel.path = "vmlinux";
  kernel.build_id = meta.at("kernel_build_id");
  HAP_CHECK(out.add(kernel));
  Image program;
  program.id = 2;
  program.kind = ImageKind::user;
  program.path = "/usr/bin/" + std::string(kHostile) + longer;
  HAP_CHECK(out.add(program));
  Task task;
  task.id = 1;
  task.pid = task.tgid = 100;
  task.comm = kHostile;
  task.cgroup = "/hap/cell";
  HAP_CHECK(out.add(task));
  HAP_CHECK(out.add(Actor{1, 1, Cause::process, OwnerKind::none, 0, ""}));
  for (uint32_t i = 1; i <= 6; ++i) {
    HAP_CHECK(out.add(
        Window{i, Phase::serve, static_cast<int64_t>(i) * 100, static_cast<int64_t>(i) * 100 + 99, 2}));
  }
  for (uint32_t i = 1; i <= 8; ++i) HAP_CHECK(out.add(Block{i, 1 + i % 2, 0x1000 * uint64_t{i}, 16, 0}));
  for (uint32_t i = 1; i <= 8; ++i) HAP_CHECK(out.add(Hit{i, 1, {1, 2, 3, 4, 5, 6}}));
  HAP_CHECK(out.add(ScopeRule{"cgroup", "/hap/cell", "application"}));
  HAP_CHECK(out.add(Loss{kHostile, 3, kHostile}));
  return out.finish();
}

void expect_harmless(const std::string& text, const std::string& command) {
  EXPECT_EQ(text, printable_lines(text)) << command;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << command << " colours what is no terminal";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(text_width(line), 100U) << command << ": " << line;
    // Had a name ended its line, the rest of it would begin one.
    EXPECT_NE(line.substr(0, 4), "\\u20") << command << ": " << line;
    EXPECT_NE(line.substr(0, 1), "|") << command << ": " << line;
  }
}

class HostileNames : public ScratchTest {
 protected:
  void SetUp() override {
    ScratchTest::SetUp();
    const auto first = write_hostile(scratch("one.hap"), kHostile);
    const auto second = write_hostile(scratch("two.hap"), std::string(200, 'y'));
    ASSERT_TRUE(first.ok()) << first.error().to_string();
    ASSERT_TRUE(second.ok()) << second.error().to_string();
  }
  // With no symbols and no ledger of this user.
  Seen quiet(const std::vector<std::string>& arguments) const {
    return hap(arguments, {{"HAP_CACHE_DIR", scratch("cache")}, {"HAP_LEDGER", scratch("none.sqlite")}});
  }
};

TEST_F(HostileNames, DoNothingToTheTerminalInAnyTextOutput) {
  const std::string one = scratch("one.hap"), two = scratch("two.hap");
  const std::vector<std::vector<std::string>> commands = {
      {"report", "--force", one, two},
      {"diff", "--force", one, two},
      {"diff", "--force", "--format", "markdown", one, two},
      {"compare", "--force", one, two}};
  for (const auto& command : commands) {
    const auto seen = quiet(command);
    EXPECT_EQ(seen.exit_code, 0) << command[0] << ": " << seen.err;
    if (command.size() > 3 && command[3] == "markdown") {
      EXPECT_THAT(seen.out, HasSubstr("evil\\\\x1b\\[2J")) << "written out, and no markup";
      EXPECT_EQ(seen.out, printable_lines(seen.out));
    } else {
      EXPECT_THAT(seen.out, HasSubstr("evil\\x1b[2J")) << command[0] << " should show the name, written out";
      expect_harmless(seen.out, command[0]);
    }
    EXPECT_EQ(seen.err, printable_lines(seen.err)) << command[0];
  }
}

TEST_F(HostileNames, AreWholeInJson) {
  const auto seen = quiet({"report", "--force", "--format", "json", scratch("one.hap")});
  ASSERT_EQ(seen.exit_code, 0) << seen.err;
  EXPECT_EQ(seen.json()["sandbox"], kHostile) << "data are not changed";
}

TEST_F(HostileNames, InWrongArgumentsComeBackHarmless) {
  const auto seen = quiet({"report", std::string("/nonexistent/") + kHostile + ".hap"});
  EXPECT_EQ(seen.exit_code, 2);
  EXPECT_EQ(seen.err.find('\x1b'), std::string::npos) << seen.err;
}

TEST(TextWidth, HelpOfEveryCommandAndTopicFitsInAHundredColumns) {
  std::vector<std::vector<std::string>> all = {{"help"}, {"--help"}};
  std::istringstream commands(hap({"completion", "commands"}).out);
  for (std::string name; commands >> name;) {
    all.push_back({"help", name});
    all.push_back({name, "--help"});
  }
  const auto overview = hap({"help"});
  std::istringstream lines(overview.out.substr(std::min(overview.out.find("Topics ("), overview.out.size())));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string name;
    if (words >> name) all.push_back({"help", name});
  }
  ASSERT_GT(all.size(), 15U) << overview.out;
  for (const auto& command : all) {
    const auto seen = hap(command);
    EXPECT_EQ(seen.exit_code, 0) << command[0] << " " << command.back() << seen.err;
    std::istringstream text(seen.out);
    for (std::string line; std::getline(text, line);) {
      EXPECT_LE(text_width(line), 100U) << "hap " << command[0] << " " << command.back() << ": " << line;
    }
  }
}

TEST(TextWidth, ListingsFitInAHundredColumns) {
  for (const auto& command :
       std::vector<std::vector<std::string>>{{"list", "sandboxes"},
                                             {"list", "workloads"},
                                             {"list", "collectors"},
                                             {"list", "metrics"},
                                             {"list", "formats"},
                                             {"doctor"},
                                             {"ledger", "table", "--year", "2014"},
                                             {"ledger", "table", "--year", "2014", "--cell", "xen-pv/dos"}}) {
    const auto seen = hap(command);
    EXPECT_LE(seen.exit_code, 1) << command[0] << seen.err;
    std::istringstream text(seen.out);
    for (std::string line; std::getline(text, line);) {
      EXPECT_LE(text_width(line), 100U)
          << "hap " << command[0] << " " << command[1 % command.size()] << ": " << line;
    }
  }
}

}  // namespace
}  // namespace hap::testing
