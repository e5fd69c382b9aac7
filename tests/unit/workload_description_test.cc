// Workloads of the user's own: what a file may say, and how a mistake is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/temp_dir.h"
#include "workload/description.h"
#include "workload/workload_file.h"

namespace hap::workload {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json valid() {
  return {{"name", "page"}, {"command", {"serve", "{address}"}}, {"port", 80}, {"load", {{"http", "/"}}}};
}

TEST(Description, TakesTheShortestFile) {
  const auto description = parse_description(valid());
  ASSERT_TRUE(description) << description.error().to_string();
  EXPECT_EQ(description->service.argv.front(), "serve");
  EXPECT_EQ(description->service.port, 80);
  EXPECT_FALSE(description->service.runs_as_user);
  EXPECT_EQ(description->http_path, "/");
}

TEST(Description, NamesWhatIsWrong) {
  const std::vector<std::pair<json, std::string>> cases{
      {{{"comand", {"x"}}}, "comand is not known"},
      {{{"port", 0}}, "port"},
      {{{"port", "80"}}, "port"},
      {{{"port", 70000}}, "port"},
      {{{"command", json::array()}}, "command is missing"},
      {{{"command", "serve"}}, "command is not a list"},
      {{{"name", "../x"}}, "name may have"},
      {{{"user", "alice"}}, "user is root or nobody"},
      {{{"memory_mib", 1 << 20}}, "memory_mib"},
      {{{"load", {{"http", "/"}, {"command", {"x"}}}}}, "either http or command"},
      {{{"load", json::object()}}, "either http or command"},
      {{{"load", {{"http", "page"}}}}, "must start with /"},
      {{{"load", 3}}, "load is not a table"},
      {{{"file", {{{"path", "relative"}}}}}, "file.path"},
      {{{"file", {{{"path", "/a/../../b"}}}}}, "file.path"},
      {{{"env", {{"A", 1}}}}, "env.A"},
  };
  for (const auto& [change, message] : cases) {
    json object = valid();
    object.update(change);
    const auto description = parse_description(object);
    ASSERT_FALSE(description) << change.dump();
    EXPECT_EQ(description.error().kind(), ErrorKind::usage);
    EXPECT_THAT(description.error().message(), HasSubstr(message));
  }
  EXPECT_FALSE(parse_description(json()));
}

TEST(WorkloadFile, ReadsTheExamples) {
  for (const char* name : {"nginx.toml", "postgresql.toml"}) {
    const auto object = read_workload_file(std::string(HAP_SOURCE_DIR) + "/examples/" + name);
    ASSERT_TRUE(object) << object.error().to_string();
    EXPECT_TRUE(parse_description(*object));
  }
}

TEST(WorkloadFile, PointsAtBadToml) {
  auto folder = TempDir::create("/tmp");
  ASSERT_TRUE(folder);
  const std::string path = folder->file("bad.toml");
  ASSERT_TRUE(write_file_atomic(path, "name = \"x\"\nport = = 3\n"));
  const auto object = read_workload_file(path);
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().kind(), ErrorKind::usage);
  EXPECT_THAT(object.error().message(), HasSubstr("line 2"));
  EXPECT_FALSE(read_workload_file(folder->file("missing.toml")));
}

TEST(WorkloadFile, AMissingArchiveIsAnError) {
  auto folder = TempDir::create("/tmp");
  ASSERT_TRUE(folder);
  const std::string path = folder->file("w.toml");
  ASSERT_TRUE(write_file_atomic(
      path, "name='x'\ncommand=['y']\nport=80\nroot_archive='image.tar'\n[load]\nhttp='/'\n"));
  EXPECT_FALSE(read_workload_file(path));
  ASSERT_TRUE(write_file_atomic(folder->file("image.tar"), "x"));
  const auto object = read_workload_file(path);
  ASSERT_TRUE(object) << object.error().to_string();
  EXPECT_EQ(object->at("root_archive"), folder->file("image.tar"));
}

}  // namespace
}  // namespace hap::workload
