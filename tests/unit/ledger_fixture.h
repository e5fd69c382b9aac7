// What the ledger's tests share: a folder of their own, and where the big public inputs are, if they are.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/progress.h"
#include "ledger/book.h"
#include "ledger/import.h"
#include "ledger/store.h"

namespace hap::ledger {

class LedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/hap-ledger-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  std::string database() const { return path("ledger.sqlite"); }

  Result<ImportReport> import(const std::vector<std::string>& inputs,
                              const ImportOptions& options = {}) const {
    HAP_TRY(store, Store::open(database()));
    NoProgress progress;
    return import_inputs(store, inputs, options, progress);
  }
  std::vector<Record> records() const {
    auto loaded = load_records(database(), true);
    EXPECT_TRUE(loaded.ok());
    return loaded ? *loaded : std::vector<Record>{};
  }
  static std::string project_data() { return std::string(HAP_SOURCE_DIR) + "/data/ledger"; }
  Result<Book> book(bool rules_only = false, const std::string& user_file = {}) const {
    BookOptions options;
    options.database = database();
    options.data = project_data();
    options.rules_only = rules_only;
    options.user_file = user_file;
    options.with_text = true;
    return open_book(options);
  }

  // The public inputs are no part of the repository: $HAP_TEST_DATA, or shared/data beside it.
  static std::string public_input(const std::string& name) {
    const char* named = std::getenv("HAP_TEST_DATA");
    const std::string folder =
        named != nullptr && *named != '\0' ? named : std::string(HAP_SOURCE_DIR) + "/../shared/data";
    const std::string file = folder + "/" + name;
    return std::filesystem::exists(file) ? file : std::string();
  }

 private:
  std::string folder_;
};

#define HAP_NEEDS_PUBLIC_INPUT(variable, name)     \
  const std::string variable = public_input(name); \
  if (variable.empty())                            \
  GTEST_SKIP() << (name) << " is not here: set HAP_TEST_DATA to the folder that holds it"

}  // namespace hap::ledger
