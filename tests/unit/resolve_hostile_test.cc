// Damaged, cut and foreign files: an error that says so, or what is left of the truth, never a crash.
#include <random>

#include "resolve/index_format.h"
#include "resolve_test_support.h"

namespace hap::resolve::testing {

class HostileTest : public ResolveTest {
 protected:
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }
  // The error of opening these bytes as an index; empty when they open.
  std::string open_error(const std::string& bytes) const {
    write("cut.hapidx", bytes);
    const auto opened = Index::open(path("cut.hapidx"));
    if (opened) return {};
    EXPECT_EQ(opened.error().kind(), ErrorKind::corrupt);
    EXPECT_FALSE(opened.error().hint().empty());
    return opened.error().message();
  }
  static void query_everything(const Index& index) {
    RangeResolution resolution;
    for (FunctionId id = 0; id < index.function_count(); ++id) {
      const auto function = index.function(id);
      index.find_functions(function.name);
      index.callees(id);
      index.imported_callees(id);
      for (const auto& range : index.ranges(id)) {
        index.resolve_range(range.begin, range.end - range.begin, resolution);
        index.frames_at(range.begin);
        index.symbol_at(range.begin);
      }
    }
    for (FileId id = 0; id < index.file_count(); ++id) index.code_lines(id);
    index.resolve_range(0, ~std::uint64_t{0}, resolution);
    index.syscall_entries();
    index.sections();
  }
};

TEST_F(HostileTest, IndexCutAnywhereIsRefused) {
  const std::string elf = program();
  ASSERT_TRUE(index(elf, ImageKind::user));
  const std::string whole = text_of(elf + ".hapidx");
  EXPECT_EQ(open_error(whole), "");
  for (std::size_t size = 0; size < whole.size(); size += size < 1024 ? 41 : 997) {
    EXPECT_NE(open_error(whole.substr(0, size)), "") << size;
  }
  EXPECT_NE(open_error(whole + "x"), "");
}

TEST_F(HostileTest, IndexOfAnotherVersionSaysWhich) {
  const std::string elf = program();
  ASSERT_TRUE(index(elf, ImageKind::user));
  std::string bytes = text_of(elf + ".hapidx");
  bytes[8] = 99;
  EXPECT_NE(open_error(bytes).find("version 99"), std::string::npos);
  EXPECT_EQ(open_error("SQLite format 3"), "not a symbol index");
}

// Whatever opens can be queried without leaving the file, and the digest tells that it was changed.
TEST_F(HostileTest, FlippedBytesAreRefusedOrHarmless) {
  const std::string elf = program();
  ASSERT_TRUE(index(elf, ImageKind::user));
  const std::string whole = text_of(elf + ".hapidx");
  std::mt19937 random(1);
  int opened = 0;
  for (int round = 0; round < 80; ++round) {
    std::string bytes = whole;
    const std::size_t at = sizeof(FileHeader) + random() % (bytes.size() - sizeof(FileHeader));
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
    write("flipped.hapidx", bytes);
    const auto index = Index::open(path("flipped.hapidx"));
    if (!index) continue;
    ++opened;
    EXPECT_FALSE(index->verify());
    query_everything(*index);
  }
  EXPECT_GT(opened, 0);
}

TEST_F(HostileTest, TablesThatPointOutsideAreRefused) {
  const std::string elf = program();
  ASSERT_TRUE(index(elf, ImageKind::user));
  const std::string whole = text_of(elf + ".hapidx");
  for (std::size_t table = 0; table < kTableCount; ++table) {
    for (const std::size_t field : {std::size_t{0}, std::size_t{8}}) {
      std::string bytes = whole;
      const std::uint64_t huge = 0xfffffffffffffff0;
      std::memcpy(bytes.data() + offsetof(FileHeader, tables) + table * sizeof(TableEntry) + field, &huge,
                  sizeof(huge));
      EXPECT_NE(open_error(bytes), "") << table << " " << field;
    }
  }
}

TEST_F(HostileTest, FilesThatAreNoElfAreRefused) {
  for (const std::string& bytes : {std::string{},
                                   std::string("\x7f"
                                               "ELF"),
                                   std::string(200, 'x')}) {
    write("no.elf", bytes);
    ElfInputs inputs;
    inputs.elf = path("no.elf");
    const auto stats = build_index(inputs, path("no.hapidx"));
    ASSERT_FALSE(stats);
    EXPECT_EQ(stats.error().kind(), ErrorKind::corrupt);
    EXPECT_FALSE(std::filesystem::exists(path("no.hapidx")));
  }
}

TEST_F(HostileTest, ForeignMachineIsUnsupported) {
  std::string bytes = text_of(program());
  bytes[18] = static_cast<char>(0xb7);  // AArch64
  write("arm.elf", bytes);
  const auto id = read_build_id(path("arm.elf"));
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().kind(), ErrorKind::unsupported);
}

TEST_F(HostileTest, CutAndDamagedDebugInformationNeverCrashes) {
  const std::string module = text_of(object("scopes.c"));
  const std::string linked = text_of(program());
  std::mt19937 random(7);
  int built = 0;
  for (int round = 0; round < 60; ++round) {
    std::string bytes = round % 2 == 0 ? module : linked;
    if (round % 8 == 0) bytes.resize(random() % bytes.size());
    for (int flips = 0; flips < 1 + round % 12 && !bytes.empty(); ++flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    write("damaged.elf", bytes);
    ElfInputs inputs;
    inputs.elf = path("damaged.elf");
    inputs.kind = round % 2 == 0 ? ImageKind::module : ImageKind::user;
    if (!build_index(inputs, path("damaged.hapidx"))) continue;
    const auto index = Index::open(path("damaged.hapidx"));
    ASSERT_TRUE(index) << index.error().to_string();
    query_everything(*index);
    ++built;
  }
  EXPECT_GT(built, 5);
}

}  // namespace hap::resolve::testing
