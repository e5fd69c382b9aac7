// Complexity of machine code against counts made by hand.
#include "base/subprocess.h"
#include "resolve_test_support.h"

namespace hap::resolve::testing {

class ComplexityTest : public ResolveTest {
 protected:
  static void check(const Index& index, const std::string& name) {
    const auto expected = expected_complexities(name);
    EXPECT_GE(expected.size(), 10u);
    for (const auto& entry : expected) {
      const auto complexity = index.function(only_function(index, entry.function)).complexity;
      ASSERT_TRUE(complexity) << entry.function;
      EXPECT_GE(*complexity, entry.low) << entry.function;
      EXPECT_LE(*complexity, entry.high) << entry.function;
    }
  }
};

TEST_F(ComplexityTest, EqualsTheHandCountOfGccsCode) {
  const auto built = index(object("decisions_gcc12.s", {}), ImageKind::module);
  ASSERT_TRUE(built);
  check(*built, "decisions_gcc12.s");
}

TEST_F(ComplexityTest, EqualsTheHandCountOfClangsCode) {
  const auto built = index(object("decisions_clang14.s", {}), ImageKind::module);
  ASSERT_TRUE(built);
  check(*built, "decisions_clang14.s");
}

TEST_F(ComplexityTest, EqualsTheHandCountOfWhatTheKernelDoes) {
  const auto built = index(object("kernel_like.s", {}), ImageKind::module);
  ASSERT_TRUE(built);
  check(*built, "kernel_like.s");
}

TEST_F(ComplexityTest, HoldsForThisMachinesGccInEveryCodeModel) {
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"-O2"},
        {"-O2", "-fPIC"},
        {"-O2", "-fno-pic", "-mcmodel=kernel", "-fcf-protection=branch"}}) {
    const auto built = index(object("decisions.c", flags), ImageKind::module);
    ASSERT_TRUE(built);
    check(*built, "decisions.c");
  }
}

TEST_F(ComplexityTest, HoldsForThisMachinesClang) {
  if (!find_program("clang")) GTEST_SKIP() << "clang is not installed";
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"-O2"}, {"-O2", "-fPIC"}, {"-O2", "-fno-pic", "-mcmodel=kernel"}}) {
    const auto built = index(object("decisions.c", flags, "clang"), ImageKind::module);
    ASSERT_TRUE(built);
    check(*built, "decisions.c");
  }
}

TEST_F(ComplexityTest, JumpTablesOfLinkedProgramsAreFollowed) {
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"-fno-pie", "-no-pie"}, {"-pie", "-fPIE"}}) {
    std::ofstream(path("main.c"))
        << "int dense_switch(int);\n"
           "int f(int a) { __asm__ volatile(\"\" : \"+r\"(a)); return a; }\n"
           "void fatal(void) { for (;;) f(1); }\n"
           "int main(int argc, char** argv) { (void)argv; return dense_switch(argc); }\n";
    std::vector<std::string> argv{"gcc",          "-O2", "-fno-inline", fixture("decisions.c"),
                                  path("main.c"), "-o",  path("linked")};
    argv.insert(argv.end(), flags.begin(), flags.end());
    ASSERT_TRUE(command(argv));
    const auto built = index(path("linked"), ImageKind::user);
    ASSERT_TRUE(built);
    EXPECT_EQ(built->function(only_function(*built, "dense_switch")).complexity, 9u);
  }
}

TEST_F(ComplexityTest, UnknownBytesMakeItUnknown) {
  std::ofstream(path("odd.s"))
      << ".text\n.globl odd\n.type odd,@function\nodd:\n.byte 0x06\nret\n.size odd,.-odd\n"
      << ".globl even\n.type even,@function\neven:\nret\n.size even,.-even\n";
  ASSERT_TRUE(command({"as", path("odd.s"), "-o", path("odd.ko")}));
  const auto built = index(path("odd.ko"), ImageKind::module);
  ASSERT_TRUE(built);
  EXPECT_FALSE(built->function(only_function(*built, "odd")).complexity);
  EXPECT_EQ(built->function(only_function(*built, "even")).complexity, 1u);
}

}  // namespace hap::resolve::testing
