// The index of names alone, and the resolver's falling back to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/temp_dir.h"
#include "resolve/names_index.h"

namespace hap::resolve {
namespace {

TEST(NamesIndex, FunctionsWithoutFilesLinesOrComplexity) {
  auto folder = TempDir::create();
  ASSERT_TRUE(folder);
  ASSERT_TRUE(make_dirs(folder->file("index")));
  const std::vector<NamedCode> names = {{0xffffffff81000000, 0x40, "show"},
                                        {0xffffffff81000040, 0x10, "do_mkdirat"},
                                        {0xffffffff81000100, 0x20, "show"}};
  const std::string path = names_index_path(folder->file(""), "abcd");
  const auto built = build_names_index(ImageKind::kernel, "abcd", "vmlinux", names, path);
  ASSERT_TRUE(built) << built.error().to_string();

  ResolverOptions options;
  options.cache = folder->file("");
  options.build_missing = false;
  const auto resolver = Resolver::open(options, {{ImageKind::kernel, "abcd", "vmlinux"}});
  ASSERT_TRUE(resolver);
  EXPECT_TRUE(resolver->missing().empty());
  const auto name_at = [&](uint64_t address) {
    Resolution found;
    resolver->resolve(0, address, 1, found);
    return found.range.functions.empty() ? std::string(found.label)
                                         : std::string(found.index->function(found.range.functions[0]).name);
  };
  EXPECT_EQ(name_at(0xffffffff81000040), "do_mkdirat");
  EXPECT_EQ(name_at(0xffffffff81000000), "show@ffffffff81000000") << "two functions of one name stay two";
  EXPECT_EQ(name_at(0xffffffff81000100), "show@ffffffff81000100");
  EXPECT_EQ(name_at(0xffffffff81000080), "[unresolved]");
  const Index* index = resolver->index(0);
  const auto ids = index->find_functions("do_mkdirat");
  ASSERT_EQ(ids.size(), 1u);
  EXPECT_EQ(index->function(ids[0]).file, "");
  EXPECT_FALSE(index->function(ids[0]).lines);
  EXPECT_FALSE(index->function(ids[0]).complexity);
}

}  // namespace
}  // namespace hap::resolve
