// The summary that comes with a recording says what an analysis says, and is passed over when it may not.
#include "cli/recording_summary.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "cli/compare_inputs.h"
#include "recording/attachment.h"
#include "sample_cell.h"

namespace hap::cli {
namespace {
namespace fs = std::filesystem;
using compare::KeptSummary;
using testing_support::SampleCell;
using testing_support::SampleImages;

class RecordingSummary : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::create(::testing::TempDir());
    ASSERT_TRUE(dir.ok());
    dir_ = std::make_unique<TempDir>(std::move(*dir));
    // A cache with the sample's symbols and nothing that another test kept.
    ASSERT_TRUE(make_dirs(cache() + "/index").ok());
    fs::copy_file(index_path(SampleImages::get().cache(), SampleImages::get().kernel_build_id()),
                  index_path(cache(), SampleImages::get().kernel_build_id()));
    ::setenv("HAP_CACHE_DIR", cache().c_str(), 1);
    const auto task = cell_.task("redis-server", "/hap/cell", 100);
    cell_.hit(cell_.function("vfs_read"), cell_.actor(task));
    cell_.hit(cell_.function("tcp_ack"), cell_.actor(task, Cause::softirq_bh), {3, 5});
    ASSERT_TRUE(cell_.write(path()).ok());
  }
  void TearDown() override { ::unsetenv("HAP_CACHE_DIR"); }

  std::string cache() const { return dir_->file("cache"); }
  std::string path() const { return dir_->file("cell.hap"); }

  static ReportSummary loaded(const std::string& path, SummarySource source) {
    auto summaries = load_summaries({path}, {}, source);
    EXPECT_TRUE(summaries.ok()) << (summaries.ok() ? "" : summaries.error().to_string());
    return summaries.ok() ? summaries->front() : ReportSummary();
  }

  KeptSummary attached() const {
    const auto bytes = recording::read_attachment(path());
    EXPECT_TRUE(bytes.ok() && bytes->has_value());
    if (!bytes.ok() || !*bytes) return {};
    const auto kept = compare::decode_kept(**bytes, path());
    EXPECT_TRUE(kept.ok());
    return kept.ok() ? *kept : KeptSummary();
  }

  // As if another program had attached it.
  void attach_changed(const std::function<void(KeptSummary&)>& change) {
    ASSERT_TRUE(attach_summary(path()).ok());
    KeptSummary kept = attached();
    kept.summary.sandbox = "changed";
    change(kept);
    ASSERT_TRUE(recording::attach(path(), compare::encode_kept(kept)).ok());
  }

  SampleCell cell_;
  std::unique_ptr<TempDir> dir_;
};

TEST_F(RecordingSummary, IsWhatAnAnalysisFinds) {
  ASSERT_TRUE(attach_summary(path()).ok());
  const ReportSummary analysed = loaded(path(), SummarySource::analysis);
  EXPECT_EQ(compare::encode_summary(attached().summary), compare::encode_summary(analysed));
  EXPECT_EQ(analysed.functions.size(), 2U);
  EXPECT_EQ(analysed.sandbox, "docker-default");
  ASSERT_TRUE(analysed.figures[0].at("functions").has_value());
  EXPECT_EQ(analysed.figures[0].contains("expected_bugs"), false);
}

TEST_F(RecordingSummary, IsUsedWithoutAnalysing) {
  attach_changed([](KeptSummary&) {});
  EXPECT_EQ(loaded(path(), SummarySource::any).sandbox, "changed");
  // --fresh takes nobody's word, and what it finds is used from then on.
  EXPECT_EQ(loaded(path(), SummarySource::analysis).sandbox, "docker-default");
  EXPECT_EQ(loaded(path(), SummarySource::any).sandbox, "docker-default");
}

TEST_F(RecordingSummary, OfAnotherVersionOfTheAnalysisIsNotUsed) {
  attach_changed([](KeptSummary& kept) { kept.made_by += "1"; });
  EXPECT_EQ(loaded(path(), SummarySource::any).sandbox, "docker-default");
}

TEST_F(RecordingSummary, MadeWithoutLinesIsNotUsedWhereTheyAre) {
  attach_changed([](KeptSummary& kept) { kept.without_lines = {SampleImages::get().kernel_build_id()}; });
  EXPECT_EQ(loaded(path(), SummarySource::any).sandbox, "docker-default");
  attach_changed([](KeptSummary& kept) { kept.without_lines = {"00ff"}; });
  EXPECT_EQ(loaded(path(), SummarySource::any).sandbox, "changed");
}

TEST_F(RecordingSummary, OfNamesAloneGivesWayToTheIndexWithLines) {
  const std::string& build_id = SampleImages::get().kernel_build_id();
  const std::string index = index_path(cache(), build_id);
  fs::rename(index, dir_->file("later"));
  for (const char* name : {"vfs_read", "tcp_ack"}) {
    const CodeRange code = SampleImages::get().range(name);
    cell_.meta["symbols"] += fmt::format("1 {:x} {:x} {}\n", code.begin, code.end - code.begin, name);
  }
  ASSERT_TRUE(cell_.write(path()).ok());
  ASSERT_TRUE(attach_summary(path()).ok());
  EXPECT_EQ(attached().without_lines, std::vector<std::string>{build_id});
  const ReportSummary of_names = loaded(path(), SummarySource::any);
  ASSERT_EQ(of_names.functions.size(), 2U);
  EXPECT_EQ(of_names.functions[0].lines, 0);
  // What was kept of the analysis by name gives way as well.
  EXPECT_EQ(loaded(path(), SummarySource::analysis).functions[0].lines, 0);
  fs::rename(dir_->file("later"), index);
  EXPECT_GT(loaded(path(), SummarySource::any).functions[0].lines, 0);
}

TEST_F(RecordingSummary, ThatCannotBeReadIsMadeAgain) {
  ASSERT_TRUE(recording::attach(path(), "HAPKEPT1 and nothing else").ok());
  EXPECT_EQ(loaded(path(), SummarySource::any).sandbox, "docker-default");
}

TEST_F(RecordingSummary, IsNotMadeOfAMeasurementThatFailedItsChecks) {
  cell_.meta["context_switches"] = "0";
  ASSERT_TRUE(cell_.write(path()).ok());
  ASSERT_TRUE(attach_summary(path()).ok());
  const auto bytes = recording::read_attachment(path());
  ASSERT_TRUE(bytes.ok());
  EXPECT_FALSE(bytes->has_value());
  EXPECT_FALSE(load_summaries({path()}, {}, SummarySource::any).ok());
}

TEST_F(RecordingSummary, IsNotMadeWithoutSymbols) {
  fs::remove(index_path(cache(), SampleImages::get().kernel_build_id()));
  ASSERT_TRUE(attach_summary(path()).ok());
  const auto bytes = recording::read_attachment(path());
  ASSERT_TRUE(bytes.ok());
  EXPECT_FALSE(bytes->has_value());
}

TEST_F(RecordingSummary, SeveralComeInTheOrderOfTheirFilesAndTheFirstFailureIsTold) {
  std::vector<std::string> paths;
  for (int i = 0; i < 12; ++i) {
    cell_.meta["sandbox"] = std::to_string(i);
    paths.push_back(dir_->file(std::to_string(i) + ".hap"));
    ASSERT_TRUE(cell_.write(paths.back()).ok());
    if (i % 2 == 1) continue;
    ASSERT_TRUE(attach_summary(paths.back()).ok());
  }
  const auto summaries = load_summaries(paths, {}, SummarySource::any);
  ASSERT_TRUE(summaries.ok()) << summaries.error().to_string();
  ASSERT_EQ(summaries->size(), paths.size());
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ((*summaries)[i].sandbox, std::to_string(i));
    EXPECT_EQ((*summaries)[i].path, paths[i]);
  }
  for (const int damaged : {9, 5}) fs::resize_file(paths[damaged], 5000);
  const auto refused = load_summaries(paths, {}, SummarySource::any);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().path(), paths[5]);
}

}  // namespace
}  // namespace hap::cli
