// Compiles the fixtures of the resolver's tests and indexes the result.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/subprocess.h"
#include "base/temp_dir.h"
#include "hap/resolver.h"

namespace hap::resolve::testing {

inline std::string fixture(const std::string& name) {
  return std::string(HAP_SOURCE_DIR) + "/tests/unit/resolve_fixtures/" + name;
}

inline std::string text_of(const std::string& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Line number of "// line: NAME" in a fixture.
inline std::uint32_t marked_line(const std::string& file, const std::string& mark) {
  std::ifstream stream(fixture(file));
  std::string text;
  for (std::uint32_t line = 1; std::getline(stream, text); ++line) {
    if (text.ends_with("// line: " + mark)) return line;
  }
  ADD_FAILURE() << "no mark " << mark << " in " << file;
  return 0;
}

class ResolveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = TempDir::create(::testing::TempDir());
    ASSERT_TRUE(folder) << folder.error().to_string();
    folder_.emplace(std::move(*folder));
  }

  std::string path(const std::string& name) const { return folder_->file(name); }

  // Runs a command; false (with the reason) when it fails.
  ::testing::AssertionResult command(std::vector<std::string> argv) const {
    SpawnOptions options;
    options.argv = std::move(argv);
    const auto output = run(options);
    if (!output) return ::testing::AssertionFailure() << output.error().to_string();
    if (!output->ok()) return ::testing::AssertionFailure() << output->err;
    return ::testing::AssertionSuccess();
  }

  static std::string output_of(std::vector<std::string> argv) {
    SpawnOptions options;
    options.argv = std::move(argv);
    const auto output = run(options);
    return output && output->ok() ? output->out : std::string{};
  }

  // Compiles scopes.c and scopes_other.c to a program with debug information. Each set of flags is compiled
  // once and then copied.
  std::string program(const std::vector<std::string>& flags = {"-g"},
                      const std::string& name = "program") const {
    static std::map<std::vector<std::string>, std::string> compiled;
    std::string& bytes = compiled[flags];
    if (bytes.empty()) {
      std::vector<std::string> argv{"gcc", "-O2", "-fno-pie", "-no-pie", "-Wl,--build-id"};
      argv.insert(argv.end(), flags.begin(), flags.end());
      argv.insert(argv.end(), {fixture("scopes.c"), fixture("scopes_other.c"), "-o", path(name)});
      EXPECT_TRUE(command(argv));
      bytes = text_of(path(name));
    }
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

  // Compiles or assembles one fixture to an object file, which is indexed like a kernel module.
  std::string object(const std::string& source, const std::vector<std::string>& flags = {"-O2", "-g"},
                     const std::string& compiler = "gcc") const {
    const std::string out = path(std::filesystem::path(source).stem().string() + "." + compiler + ".ko");
    std::vector<std::string> argv{compiler};
    argv.insert(argv.end(), flags.begin(), flags.end());
    argv.insert(argv.end(), {"-c", fixture(source), "-o", out});
    EXPECT_TRUE(command(argv));
    return out;
  }

  std::optional<Index> index(const std::string& elf, ImageKind kind,
                             const std::string& debug_file = {}) const {
    ElfInputs inputs;
    inputs.elf = elf;
    inputs.kind = kind;
    inputs.debug_file = debug_file;
    const std::string out = elf + ".hapidx";
    const auto stats = build_index(inputs, out);
    EXPECT_TRUE(stats) << stats.error().to_string();
    if (!stats) return std::nullopt;
    auto opened = Index::open(out);
    EXPECT_TRUE(opened) << opened.error().to_string();
    if (!opened) return std::nullopt;
    return std::move(*opened);
  }

  static FunctionId only_function(const Index& index, const std::string& name) {
    const auto found = index.find_functions(name);
    EXPECT_EQ(found.size(), 1u) << name;
    return found.empty() ? kNoId : found.front();
  }

  // All lines of a function's own code, as (file name, line, function name).
  static std::vector<std::string> lines_of(const Index& index, FunctionId id) {
    std::vector<std::string> lines;
    RangeResolution resolution;
    for (const auto& range : index.ranges(id)) {
      index.resolve_range(range.begin, range.end - range.begin, resolution);
      for (const auto& hit : resolution.lines) {
        const auto at = index.line(hit.line);
        const std::filesystem::path file(index.file(at.file));
        lines.push_back(file.filename().string() + ":" + std::to_string(at.line) + " " +
                        (hit.function == kNoId ? "-" : std::string(index.function(hit.function).name)));
      }
    }
    return lines;
  }

 private:
  std::optional<TempDir> folder_;
};

// "name" -> "2" or "2 to 3", from comments that end in "complexity: ...".
struct Expected {
  std::string function;
  std::uint32_t low = 0;
  std::uint32_t high = 0;
};

inline std::vector<Expected> expected_complexities(const std::string& name) {
  static const std::regex in_assembly(R"(# (\w+):.*complexity: (\d+)$)");
  static const std::regex in_c(R"(\w+ (\w+)\(.*// complexity: (\d+)(?: to (\d+))?$)");
  std::vector<Expected> expected;
  std::ifstream stream(fixture(name));
  std::string line;
  while (std::getline(stream, line)) {
    std::smatch match;
    if (!std::regex_search(line, match, name.ends_with(".c") ? in_c : in_assembly)) continue;
    Expected entry{match[1], static_cast<std::uint32_t>(std::stoul(match[2])), 0};
    entry.high =
        match.size() > 3 && match[3].matched ? static_cast<std::uint32_t>(std::stoul(match[3])) : entry.low;
    expected.push_back(entry);
  }
  return expected;
}

}  // namespace hap::resolve::testing
