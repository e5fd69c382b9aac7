// Kernel versions: comparison, and whether a version lies in a record's affected ranges.
#include <gtest/gtest.h>

#include "hap/exposure.h"

namespace hap::ledger {
namespace {

TEST(CompareVersions, OrdersReleasesCandidatesAndStableBranches) {
  EXPECT_LT(compare_versions("6.5-rc1", "6.5").value(), 0);
  EXPECT_LT(compare_versions("6.5-rc2", "6.5-rc10").value(), 0);
  EXPECT_LT(compare_versions("6.5", "6.5.1").value(), 0);
  EXPECT_LT(compare_versions("6.9", "6.10").value(), 0);
  EXPECT_EQ(compare_versions("6.12", "6.12.0").value(), 0);
  EXPECT_EQ(compare_versions("v4.19", "4.19").value(), 0);
  EXPECT_FALSE(compare_versions("bba1dc0b55ac", "6.5").has_value());
  EXPECT_FALSE(compare_versions("", "6.5").has_value());
  EXPECT_FALSE(compare_versions("99999999999999999999999.1", "6.5").has_value());
}

TEST(UpstreamVersion, IsReadFromReleasesThatTellIt) {
  EXPECT_EQ(upstream_version("6.12.48+deb13-cloud-amd64"), "6.12.48");
  EXPECT_EQ(upstream_version("6.18.44"), "6.18.44");
  EXPECT_EQ(upstream_version("6.5-rc3"), "6.5-rc3");
  // Debian's ABI names carry no version: unknown, unless the version itself is known.
  EXPECT_EQ(upstream_version("6.1.0-40-cloud-amd64"), std::nullopt);
  EXPECT_EQ(upstream_version("6.1.0-40-cloud-amd64", "6.1.153-1"), "6.1.153");
  EXPECT_EQ(upstream_version("rolling"), std::nullopt);
  EXPECT_EQ(upstream_version(""), std::nullopt);
}

Record with_ranges(bool default_affected, std::vector<VersionRange> ranges) {
  Record record;
  record.affected.push_back({"linux", default_affected, std::move(ranges)});
  return record;
}

// The kernel CNA's own form: affected unless in one of the unaffected ranges.
const Record& cna_record() {
  static const Record record = with_ranges(true, {{true, "5.9", "", ""},
                                                  {false, "0", "5.9", ""},
                                                  {false, "6.1.75", "", "6.1.*"},
                                                  {false, "6.6.14", "", "6.6.*"},
                                                  {false, "6.8", "", "*"}});
  return record;
}

TEST(Openness, FollowsTheStableBranchesOfTheKernelCna) {
  EXPECT_EQ(openness_of(cna_record(), "5.4.300"), Openness::never_affected);
  EXPECT_EQ(openness_of(cna_record(), "5.9"), Openness::open);
  EXPECT_EQ(openness_of(cna_record(), "5.15.10"), Openness::open);
  EXPECT_EQ(openness_of(cna_record(), "6.1.74"), Openness::open);
  EXPECT_EQ(openness_of(cna_record(), "6.1.75"), Openness::fixed_before);
  EXPECT_EQ(openness_of(cna_record(), "6.1.153"), Openness::fixed_before);
  EXPECT_EQ(openness_of(cna_record(), "6.7.1"), Openness::open);
  EXPECT_EQ(openness_of(cna_record(), "6.12.48"), Openness::fixed_before);
}

TEST(Openness, FollowsAffectedRanges) {
  const Record record = with_ranges(false, {{true, "6.1.5", "6.1.33", ""}, {true, "6.2", "", "6.3.6"}});
  EXPECT_EQ(openness_of(record, "6.1.4"), Openness::never_affected);
  EXPECT_EQ(openness_of(record, "6.1.5"), Openness::open);
  EXPECT_EQ(openness_of(record, "6.1.32"), Openness::open);
  EXPECT_EQ(openness_of(record, "6.1.33"), Openness::fixed_before);
  EXPECT_EQ(openness_of(record, "6.3.6"), Openness::open);
  EXPECT_EQ(openness_of(record, "6.3.7"), Openness::fixed_before);
}

TEST(Openness, IsUnknownWithoutRangesVersionOrReadableBounds) {
  EXPECT_EQ(openness_of(Record{}, "6.12.48"), Openness::unknown);
  EXPECT_EQ(openness_of(cna_record(), std::nullopt), Openness::unknown);
  EXPECT_EQ(openness_of(cna_record(), "rolling"), Openness::unknown);
  EXPECT_EQ(openness_of(with_ranges(true, {{true, "bba1dc0b55ac", "90c445799fd1", ""}}), "6.1"),
            Openness::unknown);
  Record other;
  other.affected.push_back({"xen", true, {{true, "4.4", "", "*"}}});
  EXPECT_EQ(openness_of(other, "6.12.48"), Openness::unknown)
      << "another product's ranges are none of the kernel's";
}

}  // namespace
}  // namespace hap::ledger
