// What an index says about programs compiled here: names, extents, lines, inlined calls.
#include <algorithm>
#include <set>

#include "resolve_test_support.h"

namespace hap::resolve::testing {

class IndexTest : public ResolveTest {};

TEST_F(IndexTest, FunctionExtentGoesFromDeclarationToLastLineOfItsOwn) {
  const auto built = index(program(), ImageKind::user);
  ASSERT_TRUE(built);
  const auto outer = built->function(only_function(*built, "outer"));
  EXPECT_TRUE(outer.file.ends_with("tests/unit/resolve_fixtures/scopes.c")) << outer.file;
  EXPECT_EQ(outer.line, marked_line("scopes.c", "outer-start"));
  EXPECT_EQ(outer.end_line, marked_line("scopes.c", "outer-end"));
  EXPECT_EQ(outer.lines, outer.end_line - outer.line + 1);
  EXPECT_TRUE(outer.out_of_line);
  EXPECT_FALSE(outer.inlined);
  // Its extent is not stretched by what was inlined into it from above.
  const auto middle = built->function(only_function(*built, "middle"));
  EXPECT_EQ(middle.end_line, marked_line("scopes.c", "middle-end"));
  EXPECT_TRUE(middle.inlined);
  EXPECT_FALSE(middle.out_of_line);
  EXPECT_EQ(middle.size, 0u);
}

TEST_F(IndexTest, ExecutedRangeCreditsInlinedCodeToItsOwnFileAndLine) {
  const auto built = index(program(), ImageKind::user);
  ASSERT_TRUE(built);
  const FunctionId outer = only_function(*built, "outer");
  const auto ranges = built->ranges(outer);
  ASSERT_EQ(ranges.size(), 1u);
  RangeResolution whole;
  built->resolve_range(ranges[0].begin, ranges[0].end - ranges[0].begin, whole);
  EXPECT_EQ(whole.functions, std::vector<FunctionId>{outer});
  EXPECT_EQ(whole.unresolved_bytes, 0u);
  std::set<std::string> inlined;
  for (const auto id : whole.inlined) inlined.insert(std::string(built->function(id).name));
  EXPECT_TRUE(inlined.contains("middle"));
  EXPECT_TRUE(inlined.contains("inner"));
  EXPECT_TRUE(inlined.contains("clamp_to"));
  const auto lines = lines_of(*built, outer);
  const auto line = [](const std::string& file, const std::string& mark, const std::string& function) {
    return file + ":" + std::to_string(marked_line(file, mark)) + " " + function;
  };
  EXPECT_NE(std::find(lines.begin(), lines.end(), line("scopes.h", "clamp", "clamp_to")), lines.end());
  EXPECT_NE(std::find(lines.begin(), lines.end(), line("scopes.c", "inner-body", "inner")), lines.end());
  EXPECT_NE(std::find(lines.begin(), lines.end(), line("scopes.c", "outer-end", "outer")), lines.end());
}

TEST_F(IndexTest, FramesGoFromTheInnermostInlinedCallOut) {
  const auto built = index(program(), ImageKind::user);
  ASSERT_TRUE(built);
  const auto range = built->ranges(only_function(*built, "outer")).at(0);
  bool found = false;
  for (std::uint64_t address = range.begin; address < range.end && !found; ++address) {
    const auto frames = built->frames_at(address);
    if (frames.size() != 4) continue;
    found = true;
    const char* names[] = {"clamp_to", "inner", "middle", "outer"};
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(built->function(frames[i].function).name, names[i]);
    EXPECT_EQ(frames[1].at.line, marked_line("scopes.c", "inner-body"));
    EXPECT_EQ(frames[2].at.line, marked_line("scopes.c", "inner-call"));
    EXPECT_EQ(frames[3].at.line, marked_line("scopes.c", "middle-call"));
  }
  EXPECT_TRUE(found);
}

// Every address against an independent reader of the same debug information. File names are left out:
// addr2line of binutils 2.40 takes them from the wrong entry of version 5 tables.
TEST_F(IndexTest, AgreesWithAddr2line) {
  const std::string elf = program();
  const auto built = index(elf, ImageKind::user);
  ASSERT_TRUE(built);
  // Offsets in the file to addresses: the first loaded byte of this program is at 0x400000.
  constexpr std::uint64_t load = 0x400000;
  int compared = 0;
  for (const char* name : {"outer", "with_cold_part", "copied"}) {
    for (const FunctionId id : built->find_functions(name)) {
      for (const auto& range : built->ranges(id)) {
        for (std::uint64_t at = range.begin; at < range.end; at += 4) {
          std::string expected;
          std::stringstream hex;
          hex << std::hex << (at + load);
          std::stringstream output(output_of({"addr2line", "-f", "-i", "-s", "-e", elf, hex.str()}));
          std::string function;
          std::string line;
          std::string actual;
          while (std::getline(output, function) && std::getline(output, line)) {
            line = line.substr(line.find(':') + 1);
            expected += function.substr(0, function.find('.')) + " " + line.substr(0, line.find(' ')) + "\n";
          }
          for (const auto& frame : built->frames_at(at)) {
            actual += std::string(built->function(frame.function).name) + " " +
                      std::to_string(frame.at.line) + "\n";
          }
          EXPECT_EQ(actual, expected) << hex.str();
          ++compared;
        }
      }
    }
  }
  EXPECT_GT(compared, 20);
}

TEST_F(IndexTest, ColdPartBelongsToItsFunction) {
  const auto built = index(program(), ImageKind::user);
  ASSERT_TRUE(built);
  const FunctionId id = only_function(*built, "with_cold_part");
  ASSERT_EQ(built->ranges(id).size(), 2u);
  EXPECT_EQ(only_function(*built, "with_cold_part.cold"), id);
  const auto lines = lines_of(*built, id);
  const auto cold = "scopes.c:" + std::to_string(marked_line("scopes.c", "cold-line")) + " with_cold_part";
  EXPECT_NE(std::find(lines.begin(), lines.end(), cold), lines.end());
}

TEST_F(IndexTest, ClonesAndCopiesAreOneFunction) {
  const auto built = index(program(), ImageKind::user);
  ASSERT_TRUE(built);
  // The compiler made a copy with a constant argument; it is still the function of the source.
  const auto cloned = built->function(only_function(*built, "cloned"));
  EXPECT_EQ(cloned.line, marked_line("scopes.c", "cloned-start"));
  EXPECT_NE(cloned.symbol, "");
  // Two units hold the same header function.
  const FunctionId copied = only_function(*built, "copied");
  EXPECT_EQ(built->ranges(copied).size(), 2u);
  EXPECT_EQ(built->function(copied).end_line, marked_line("scopes.h", "copied-end"));
}

TEST_F(IndexTest, CompressedDebugSectionsGiveTheSameAnswers) {
  const auto plain = index(program({"-g"}, "plain"), ImageKind::user);
  ASSERT_TRUE(plain);
  for (const char* flag : {"-gz=zlib", "-gz=zstd"}) {
    if (!command({"gcc", "-g", flag, "-c", fixture("scopes.c"), "-o", path("probe.o")})) continue;
    const auto packed = index(program({"-g", flag}, std::string("packed") + flag), ImageKind::user);
    ASSERT_TRUE(packed);
    EXPECT_EQ(lines_of(*packed, only_function(*packed, "outer")),
              lines_of(*plain, only_function(*plain, "outer")));
    EXPECT_EQ(packed->line_count(), plain->line_count());
  }
}

TEST_F(IndexTest, OlderDwarfAndOtherCompilersGiveTheSameFunctions) {
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"gcc", "-gdwarf-4"}, {"clang", "-gdwarf-5"}, {"clang", "-gdwarf-4"}}) {
    if (!find_program(flags[0])) continue;
    ASSERT_TRUE(command({flags[0], flags[1], "-O2", "-no-pie", fixture("scopes.c"), fixture("scopes_other.c"),
                         "-o", path("other")}));
    const auto built = index(path("other"), ImageKind::user);
    ASSERT_TRUE(built);
    const auto outer = built->function(only_function(*built, "outer"));
    EXPECT_EQ(outer.line, marked_line("scopes.c", "outer-start")) << flags[0] << flags[1];
    EXPECT_TRUE(outer.file.ends_with("resolve_fixtures/scopes.c")) << outer.file;
    EXPECT_TRUE(built->function(only_function(*built, "inner")).inlined);
  }
}

TEST_F(IndexTest, ModuleSectionsAreLaidOutAsTheKernelDoes) {
  ASSERT_TRUE(command(
      {"gcc", "-O2", "-g", "-c", "-fno-pic", fixture("scopes_other.c"), "-o", path("some-module.ko")}));
  const auto built = index(path("some-module.ko"), ImageKind::module);
  ASSERT_TRUE(built);
  EXPECT_EQ(built->image_name(), "some_module");
  const FunctionId init = only_function(*built, "initialize");
  EXPECT_EQ(built->ranges(init).at(0).begin, kModuleInitBase);
  RangeResolution resolution;
  built->resolve_range(kModuleInitBase, 1, resolution);
  EXPECT_EQ(resolution.functions, std::vector<FunctionId>{init});
  std::set<std::string> names;
  for (const auto& section : built->sections()) names.insert(std::string(section.name));
  EXPECT_TRUE(names.contains(".text"));
  EXPECT_TRUE(names.contains(".init.text"));
  // Relocations were applied: lines are found in both sections.
  EXPECT_FALSE(lines_of(*built, init).empty());
  EXPECT_FALSE(lines_of(*built, only_function(*built, "sink")).empty());
}

TEST_F(IndexTest, SeparateDebugFileOfAStrippedProgram) {
  const std::string elf = program();
  ASSERT_TRUE(command({"objcopy", "--only-keep-debug", elf, path("program.debug")}));
  ASSERT_TRUE(command({"strip", "-o", path("stripped"), elf}));
  const auto whole = index(elf, ImageKind::user);
  const auto joined = index(path("stripped"), ImageKind::user, path("program.debug"));
  ASSERT_TRUE(whole && joined);
  EXPECT_EQ(lines_of(*joined, only_function(*joined, "outer")),
            lines_of(*whole, only_function(*whole, "outer")));
  EXPECT_EQ(joined->function(only_function(*joined, "outer")).complexity,
            whole->function(only_function(*whole, "outer")).complexity);
}

TEST_F(IndexTest, DebugFileOfAnotherBuildIsRefused) {
  const std::string elf = program();
  ElfInputs inputs;
  inputs.elf = elf;
  inputs.debug_file = program({"-g", "-DOTHER", "-O1"}, "another");
  const auto stats = build_index(inputs, path("x.hapidx"));
  ASSERT_FALSE(stats);
  EXPECT_NE(stats.error().message().find("another build"), std::string::npos);
}

TEST_F(IndexTest, StrippedProgramHasFunctionsButNoLines) {
  const std::string elf = program({});
  ASSERT_TRUE(command({"strip", elf}));
  const auto built = index(elf, ImageKind::user);
  ASSERT_TRUE(built);
  EXPECT_EQ(built->line_count(), 0u);
  std::size_t unnamed = 0;
  for (FunctionId id = 0; id < built->function_count(); ++id) {
    const auto function = built->function(id);
    EXPECT_FALSE(function.lines);
    if (!function.name.starts_with('[')) continue;
    ++unnamed;
    EXPECT_TRUE(function.name.starts_with("[" + std::string(built->build_id().substr(0, 8)) + "+0x"));
  }
  EXPECT_GE(unnamed, 6u);  // outer, with_cold_part and its cold part, cloned, use_clone, ...
}

TEST_F(IndexTest, FileWithoutABuildIdIsKnownByItsContent) {
  ASSERT_TRUE(command({"gcc", "-c", fixture("scopes.c"), "-o", path("a.ko")}));
  const auto id = read_build_id(path("a.ko"));
  ASSERT_TRUE(id);
  EXPECT_TRUE(id->starts_with("sha256-"));
  EXPECT_EQ(id->size(), 7u + 64u);
}

TEST_F(IndexTest, AddressesOutsideTheCodeAreUnresolvedAndTotalsMatch) {
  const auto built = index(program(), ImageKind::user);
  ASSERT_TRUE(built);
  RangeResolution resolution;
  for (const std::uint64_t address : {std::uint64_t{0}, std::uint64_t{0xfffffff0}, ~std::uint64_t{0} - 5}) {
    built->resolve_range(address, 16, resolution);
    EXPECT_TRUE(resolution.functions.empty());
    EXPECT_EQ(resolution.resolved_bytes + resolution.unresolved_bytes, 16u);
    EXPECT_TRUE(built->frames_at(address).empty());
  }
  // A range that begins before a function and ends in it is both.
  const auto range = built->ranges(only_function(*built, "main")).at(0);
  built->resolve_range(range.begin, range.end - range.begin + 0x100000, resolution);
  EXPECT_EQ(resolution.resolved_bytes + resolution.unresolved_bytes, range.end - range.begin + 0x100000);
  EXPECT_GE(resolution.resolved_bytes, range.end - range.begin);
}

TEST_F(IndexTest, TheSameInputGivesTheSameBytesWithAnyNumberOfThreads) {
  const std::string elf = program();
  std::string first;
  for (const unsigned threads : {1u, 4u}) {
    ElfInputs inputs;
    inputs.elf = elf;
    inputs.threads = threads;
    ASSERT_TRUE(build_index(inputs, path("threads.hapidx")));
    const auto built = Index::open(path("threads.hapidx"));
    ASSERT_TRUE(built);
    EXPECT_TRUE(built->verify());
    // The header holds the time that the build took; the tables must not differ.
    const std::string bytes = text_of(path("threads.hapidx")).substr(1024);
    if (first.empty()) first = bytes;
    EXPECT_EQ(bytes, first);
  }
}

}  // namespace hap::resolve::testing
