// The ways in which a sandbox silently scores too well, brought about on purpose: each must be an error or a
// refused recording, never a low figure. (tests/unit/attribute_guards_test.cc has the others: a vCPU that
// never ran, foreign code in the scope.) About half a minute.
#include <gmock/gmock.h>

#include <fstream>

#include "program/hap_program.h"

namespace hap::testing {
namespace {

using ::testing::HasSubstr;

class SandboxGuards : public ScratchTest {
 protected:
  // busybox' web server in `sandbox`, started by a script.
  Seen measure(const std::string& sandbox, const std::string& script, const std::string& more,
               const std::vector<std::string>& options = {}) {
    std::ofstream(scratch("workload.toml"))
        << "name = \"page\"\n"
           "command = [\"sh\", \"/tmp/hap-service/start\", \"{address}\"]\n"
           "port = 8080\n"
        << more << "[[file]]\npath = \"/tmp/hap-service/start\"\ncontent = '''\n"
        << script
        << "'''\n"
           "[[file]]\npath = \"/tmp/hap-service/index.html\"\n"
           "content = \"the right page\"\n"
           "[load]\nhttp = \"/\"\nexpect = \"right\"\n";
    std::vector<std::string> words{"measure", "-s",   sandbox,     "-w",  scratch("workload.toml"),
                                   "-o",      file(), "--profile", "fast"};
    words.insert(words.end(), options.begin(), options.end());
    return hap(words);
  }
  std::string file() const { return scratch("cell.hap"); }
  bool recorded() const { return std::filesystem::exists(file()); }
};

constexpr const char* serve = "exec busybox httpd -f -p $1:8080 -h /tmp/hap-service\n";

TEST_F(SandboxGuards, ThisCellIsGoodWhenNothingIsBroken) {
  const auto seen = measure("bare", serve, "task = \"busybox\"\n");
  ASSERT_EQ(seen.exit_code, 0) << seen.err;
  EXPECT_EQ(hap({"report", file()}).exit_code, 0);
}

// A runtime that fails to start once scored as the most efficient.
TEST_F(SandboxGuards, ARuntimeThatFailsToStartIsAnError) {
  const auto seen = measure("docker-default", serve, "", {"--runtime", "false"});
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_THAT(seen.err, HasSubstr("creating the container"));
  EXPECT_FALSE(recorded());
}

TEST_F(SandboxGuards, ARuntimeThatIsNotThereIsAnError) {
  const auto seen = measure("docker-default", serve, "", {"--runtime", "no-such-runtime"});
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_THAT(seen.err, HasSubstr("no-such-runtime"));
  EXPECT_FALSE(recorded());
}

// It answers well for a while: readiness and warm-up pass, then the pages are wrong.
TEST_F(SandboxGuards, ALoadThatIsNotServedIsAnError) {
  const auto seen = measure("bare", R"(exec python3 -c '
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    served = 0
    def do_GET(self):
        Page.served += 1
        body = b"the right page" if Page.served < 40 else b"something else"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer((sys.argv[1], 8080), Page).serve_forever()
' $1
)",
                            "task = \"python3\"\n");
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_THAT(seen.err, HasSubstr("requests were not served"));
  EXPECT_FALSE(recorded());
}

TEST_F(SandboxGuards, AServiceThatEndsIsAnError) {
  const auto seen = measure("bare", "echo cannot go on; exit 3\n", "");
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_THAT(seen.err, HasSubstr("cannot go on"));
  EXPECT_FALSE(recorded());
}

// The tracer that did not follow the thread class it was there for.
TEST_F(SandboxGuards, AMissingThreadIsAnError) {
  const auto seen = measure("bare", serve, "task = \"somebody-else\"\n");
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_THAT(seen.err, HasSubstr("no task named somebody-else"));
  EXPECT_FALSE(recorded());
}

// The child that serves leaves the scope: three times too lean, were it believed.
TEST_F(SandboxGuards, AChildThatLeavesTheScopeIsNoticed) {
  const auto seen = measure("bare",
                            "mkdir -p /sys/fs/cgroup/elsewhere\n"
                            "busybox httpd -f -p $1:8080 -h /tmp/hap-service &\n"
                            "echo $! > /sys/fs/cgroup/elsewhere/cgroup.procs\n"
                            "while sleep 0.1; do :; done\n",
                            "task = \"sh\"\n");
  ASSERT_EQ(seen.exit_code, 0) << seen.err;
  const auto report = hap({"report", file()});
  EXPECT_EQ(report.exit_code, 1);
  EXPECT_THAT(report.err, HasSubstr("children followed"));
  EXPECT_EQ(hap({"compare", file(), file()}).exit_code, 1);
}

}  // namespace
}  // namespace hap::testing
