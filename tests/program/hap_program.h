// Runs the real `hap` and looks at what a user would see: exit status, standard output, standard error.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/subprocess.h"
#include "base/temp_dir.h"

namespace hap::testing {

inline std::string hap_binary() {
  return std::string(HAP_BINARY_DIR) + "/src/cli/hap";
}

struct Seen {
  int exit_code = -1;
  std::string out;
  std::string err;
  nlohmann::json json() const { return nlohmann::json::parse(out, nullptr, false); }
};

inline SpawnOptions hap_command(const std::vector<std::string>& arguments,
                                const std::map<std::string, std::string>& env = {}) {
  SpawnOptions options;
  options.argv = {hap_binary()};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.env = env;
  return options;
}

inline Seen hap(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& env = {},
                std::chrono::seconds timeout = std::chrono::seconds(600)) {
  const auto output = run(hap_command(arguments, env), timeout);
  if (!output) {
    ADD_FAILURE() << output.error().to_string();
    return {};
  }
  return {output->exit_code(), output->out, output->err};
}

// A scratch folder that goes with the test.
class ScratchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create(::testing::TempDir());
    ASSERT_TRUE(dir.ok()) << dir.error().to_string();
    dir_ = std::make_unique<TempDir>(std::move(*dir));
  }
  std::string scratch(const std::string& name) const { return dir_->file(name); }

 private:
  std::unique_ptr<TempDir> dir_;
};

}  // namespace hap::testing
