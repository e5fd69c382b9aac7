// Root file systems that a service brings along: plain, and images of layers.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/subprocess.h"
#include "base/temp_dir.h"
#include "sandbox/root_archive.h"

namespace hap::sandbox {
namespace {

namespace fs = std::filesystem;

class RootArchive : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = TempDir::create("/tmp");
    ASSERT_TRUE(made);
    folder_.emplace(std::move(*made));
  }

  // Writes the files (name -> content) beneath a folder and packs it.
  std::string pack(const std::string& name, const std::map<std::string, std::string>& files) {
    const std::string source = folder_->file(name + ".d");
    for (const auto& [path, content] : files) {
      EXPECT_TRUE(make_dirs((fs::path(source) / path).parent_path().string()));
      EXPECT_TRUE(write_file_atomic(source + "/" + path, content));
    }
    SpawnOptions options;
    options.argv = {"tar", "-cf", folder_->file(name), "-C", source, "."};
    EXPECT_TRUE(run_checked(options));
    return folder_->file(name);
  }

  std::string content_of(const std::string& path) {
    const auto text = read_file(root() + "/" + path);
    return text ? *text : "(none)";
  }
  std::string root() { return folder_->file("root"); }

  std::optional<TempDir> folder_;
};

TEST_F(RootArchive, UnpacksAPlainRoot) {
  ASSERT_TRUE(unpack_root(pack("plain.tar", {{"usr/bin/x", "program"}}), root()));
  EXPECT_EQ(content_of("usr/bin/x"), "program");
}

TEST_F(RootArchive, AppliesLayersAndWhiteouts) {
  const auto below =
      read_file(pack("1.tar", {{"usr/keep", "1"}, {"usr/change", "1"}, {"usr/drop", "1"}, {"opt/a", "1"}}));
  const auto above = read_file(
      pack("2.tar", {{"usr/change", "2"}, {"usr/.wh.drop", ""}, {"opt/.wh..wh..opq", ""}, {"opt/b", "2"}}));
  ASSERT_TRUE(below && above);
  const std::string image = pack(
      "image.tar",
      {{"manifest.json", R"([{"Layers": ["l1.tar", "l2.tar"]}])"}, {"l1.tar", *below}, {"l2.tar", *above}});
  const auto done = unpack_root(image, root());
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(content_of("usr/keep"), "1");
  EXPECT_EQ(content_of("usr/change"), "2");
  EXPECT_EQ(content_of("usr/drop"), "(none)");
  EXPECT_EQ(content_of("opt/a"), "(none)");
  EXPECT_EQ(content_of("opt/b"), "2");
  EXPECT_EQ(content_of("manifest.json"), "(none)");
}

TEST_F(RootArchive, ReadsAnOciLayout) {
  const auto layer = read_file(pack("layer.tar", {{"usr/x", "oci"}}));
  ASSERT_TRUE(layer);
  const std::string image = pack("oci.tar", {{"index.json", R"({"manifests": [{"digest": "sha256:aa"}]})"},
                                             {"blobs/sha256/aa", R"({"layers": [{"digest": "sha256:bb"}]})"},
                                             {"blobs/sha256/bb", *layer}});
  const auto done = unpack_root(image, root());
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(content_of("usr/x"), "oci");
}

TEST_F(RootArchive, RefusesWhatIsNeither) {
  EXPECT_FALSE(unpack_root(pack("odd.tar", {{"readme", "x"}}), root()));
  EXPECT_FALSE(unpack_root(folder_->file("missing.tar"), root()));
  EXPECT_FALSE(unpack_root(pack("bad.tar", {{"manifest.json", "[]"}}), root()));
  EXPECT_FALSE(
      unpack_root(pack("out.tar", {{"manifest.json", R"([{"Layers": ["../../etc/passwd"]}])"}}), root()));
  EXPECT_FALSE(unpack_root(
      pack("evil.tar", {{"index.json", R"({"manifests": [{"digest": "sha256:../../x"}]})"}}), root()));
}

}  // namespace
}  // namespace hap::sandbox
