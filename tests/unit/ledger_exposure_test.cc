// Which records a recording's exercised code meets.
#include <chrono>

#include "hap/exposure.h"
#include "ledger/exposure_format.h"
#include "ledger_fixture.h"

namespace hap::ledger {
namespace {

Record kernel_record(const std::string& id, std::vector<std::string> files,
                     std::optional<std::string> published = std::nullopt) {
  Record record;
  record.id = id;
  record.products = {"linux"};
  record.files = std::move(files);
  record.published = std::move(published);
  return record;
}

ExercisedCode sample_code() {
  ExercisedCode code;
  code.label = "redis.hap";
  code.sandbox = "docker-default";
  code.kernel_release = "6.12.48+deb13-amd64";
  code.files = {{"fs/aio.c", 25, 100},
                {"net/core/dev.c", 300, 1000},
                {"mm/shmem.c", 0, 500},
                {"include/linux/fs.h", 90, 100}};
  code.functions = {{"net/core/dev.c", "netif_rx", 10, 20}};
  code.present_files = {"fs/aio.c", "net/core/dev.c", "mm/shmem.c", "include/linux/fs.h"};
  return code;
}

const ExposedRecord& only(const Exposure& exposure) {
  EXPECT_EQ(exposure.records.size(), 1u);
  return exposure.records.at(0);
}

TEST(Expose, ByFileWeightedByTheExecutedShare) {
  const std::vector<Record> records{kernel_record("CVE-2024-0001", {"fs/aio.c", "include/linux/fs.h"})};
  const auto exposure = expose(records, sample_code());
  const auto& item = only(exposure);
  EXPECT_EQ(item.reach, Reach::exercised);
  EXPECT_FALSE(item.by_function);
  EXPECT_DOUBLE_EQ(item.weight.value(), 0.25) << "the header says nothing about the fix";
  EXPECT_DOUBLE_EQ(exposure.dated.weighted, 0.25);
}

TEST(Expose, ByFunctionWhereKnown) {
  auto hit = kernel_record("CVE-2024-0001", {"net/core/dev.c"});
  hit.functions = {{"net/core/dev.c", "netif_rx"}};
  const std::vector<Record> hits{hit};
  EXPECT_EQ(only(expose(hits, sample_code())).reach, Reach::exercised);
  EXPECT_TRUE(only(expose(hits, sample_code())).by_function);
  EXPECT_DOUBLE_EQ(only(expose(hits, sample_code())).weight.value(), 0.5);
  hit.functions = {{"net/core/dev.c", "dev_ioctl"}};
  const std::vector<Record> misses{hit};
  EXPECT_EQ(only(expose(misses, sample_code())).reach, Reach::present)
      << "its file ran, the function did not";
}

TEST(Expose, TellsPresentAbsentAndUnknownApart) {
  const std::vector<Record> records{kernel_record("CVE-1-0001", {"mm/shmem.c"}),
                                    kernel_record("CVE-1-0002", {"drivers/gpu/drm/x.c"}),
                                    kernel_record("CVE-1-0003", {})};
  auto code = sample_code();
  auto exposure = expose(records, code);
  EXPECT_EQ(exposure.dated.present, 1u);
  EXPECT_EQ(exposure.dated.absent, 1u);
  EXPECT_EQ(exposure.dated.unknown, 1u);
  code.present_files.reset();
  code.files = {{"fs/aio.c", 25, 100}};
  exposure = expose(records, code);
  EXPECT_EQ(exposure.dated.absent, 0u);
  EXPECT_EQ(exposure.dated.unknown, 3u) << "without the build's files nothing is absent";
}

TEST(Expose, WeightIsUnknownWithoutTotals) {
  auto code = sample_code();
  code.files = {{"fs/aio.c", 25, std::nullopt}};
  const std::vector<Record> records{kernel_record("CVE-2024-0001", {"fs/aio.c"})};
  EXPECT_EQ(only(expose(records, code)).weight, std::nullopt);
}

TEST(Expose, OtherProductsAreNotTheKernels) {
  auto record = kernel_record("CVE-2024-0001", {"fs/aio.c"});
  record.products = {"qemu"};
  const std::vector<Record> records{record};
  EXPECT_TRUE(expose(records, sample_code()).records.empty());
}

TEST(Expose, OpenFixedAndUnknownApart) {
  auto open = kernel_record("CVE-2025-0001", {"fs/aio.c"});
  open.affected = {
      {"linux", true, {{true, "5.9", "", ""}, {false, "0", "5.9", ""}, {false, "6.12.60", "", "6.12.*"}}}};
  auto fixed = kernel_record("CVE-2025-0002", {"fs/aio.c"});
  fixed.affected = {{"linux", true, {{true, "5.9", "", ""}, {false, "6.12.40", "", "6.12.*"}}}};
  const std::vector<Record> records{open, fixed, kernel_record("CVE-2025-0003", {"fs/aio.c"})};
  const auto exposure = expose(records, sample_code());
  EXPECT_EQ(exposure.dated.open, 1u);
  EXPECT_EQ(exposure.dated.fixed_before, 1u);
  EXPECT_EQ(exposure.dated.openness_unknown, 1u);
  EXPECT_EQ(exposure.dated.meets, 2u);
}

TEST(Expose, SinceKeepsUndatedRecordsApart) {
  const std::vector<Record> records{kernel_record("CVE-2024-0001", {"fs/aio.c"}),
                                    kernel_record("CVE-2023-0002", {"fs/aio.c"}, "2023-02-01"),
                                    kernel_record("CVE-2023-0003", {"fs/aio.c"}, "2024-02-01")};
  const auto exposure = expose(records, sample_code(), {2024, DateBasis::published});
  EXPECT_EQ(exposure.dated.exercised, 1u);
  EXPECT_EQ(exposure.undated.exercised, 1u) << "an id's year is no date";
  const auto by_id = expose(records, sample_code(), {2024, DateBasis::id_year});
  EXPECT_EQ(by_id.dated.exercised, 2u);
}

Record needing(Requirement need) {
  auto record = kernel_record("CVE-2024-0001", {"fs/aio.c"});
  record.requirements = {std::move(need)};
  return record;
}

TEST(Expose, CapabilitiesNamespacesAndDevicesRuleOutWithTheReason) {
  const std::vector<Record> admin{needing({Requirement::Kind::capability, "CAP_NET_ADMIN", true, "test"})};
  const std::vector<Record> host_admin{
      needing({Requirement::Kind::capability, "CAP_SYS_ADMIN", false, "test"})};
  const std::vector<Record> userns{needing({Requirement::Kind::user_namespace, "", true, "test"})};
  const std::vector<Record> kvm{needing({Requirement::Kind::device, "/dev/kvm", false, "test"})};
  auto code = sample_code();
  for (const auto* records : {&admin, &host_admin, &userns, &kvm}) {
    EXPECT_EQ(only(expose(*records, code)).ruled_out, "") << "unknown facts rule nothing out";
  }
  code.facts.capabilities = std::vector<std::string>{};
  code.facts.can_create_user_namespace = false;
  code.facts.devices = {"/dev/null"};
  EXPECT_NE(only(expose(admin, code)).ruled_out.find("CAP_NET_ADMIN"), std::string::npos);
  EXPECT_NE(only(expose(userns, code)).ruled_out, "");
  EXPECT_NE(only(expose(kvm, code)).ruled_out.find("/dev/kvm"), std::string::npos);
  EXPECT_EQ(expose(kvm, code).dated.meets, 0u);
  code.facts.can_create_user_namespace = true;
  EXPECT_EQ(only(expose(admin, code)).ruled_out, "") << "a user namespace gives it";
  EXPECT_NE(only(expose(host_admin, code)).ruled_out, "") << "but not this one";
  code.facts.capabilities = {"CAP_SYS_ADMIN"};
  code.facts.own_user_namespace = true;
  EXPECT_NE(only(expose(host_admin, code)).ruled_out.find("own user namespace"), std::string::npos);
  code.facts.own_user_namespace = false;
  EXPECT_EQ(only(expose(host_admin, code)).ruled_out, "");
}

TEST(KnownCvesMetric, IsUnknownWithoutKernelRecords) {
  EXPECT_EQ(known_cves({}, sample_code()), std::nullopt);
  const auto known = known_cves({kernel_record("CVE-1-0001", {"fs/aio.c"}), kernel_record("CVE-1-0002", {}),
                                 kernel_record("CVE-1-0003", {"mm/shmem.c"})},
                                sample_code());
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->value, 1u);
  EXPECT_EQ(known->low, 0u);
  EXPECT_EQ(known->high, 2u);
}

TEST(Density, SplitsARecordOverItsSubsystems) {
  const std::vector<Record> records{
      kernel_record("CVE-1-0001", {"fs/ext4/inode.c", "mm/mmap.c", "include/linux/mm.h"}, "2020-01-01"),
      kernel_record("CVE-1-0002", {"mm/mmap.c"}, "2021-01-01"),
      kernel_record("CVE-1-0003", {"sound/core/a.c"})};
  const std::map<std::string, uint64_t> lines{{"fs/ext4", 10000}, {"mm", 5000}, {"net/core", 1000}};
  auto density = subsystem_bug_density(records, lines);
  EXPECT_DOUBLE_EQ(density["mm"].records, 1.5);
  EXPECT_DOUBLE_EQ(density["mm"].per_kloc.value(), 0.3);
  EXPECT_DOUBLE_EQ(density["fs/ext4"].per_kloc.value(), 0.05);
  EXPECT_DOUBLE_EQ(density["net/core"].per_kloc.value(), 0);
  EXPECT_EQ(density["sound/core"].per_kloc, std::nullopt) << "lines unknown";
  density = subsystem_bug_density(records, lines, YearSpan{2021, 2021});
  EXPECT_DOUBLE_EQ(density["mm"].records, 1);
  EXPECT_EQ(subsystem_of("mm/mmap.c"), "mm");
  EXPECT_EQ(subsystem_of("fs/ext4/inode.c"), "fs/ext4");
  EXPECT_EQ(subsystem_of("arch/x86/kvm/x86.c"), "arch/x86");
}

TEST(Retrodiction, FindsTheOrderThatTheDensityForetold) {
  std::vector<Record> records;
  const auto add = [&records](int year, const std::string& file, int count) {
    for (int i = 0; i < count; ++i) {
      records.push_back(kernel_record(
          "CVE-" + std::to_string(year) + "-" + std::to_string(1000 + static_cast<int>(records.size())),
          {file}, std::to_string(year) + "-06-01"));
    }
  };
  for (const int year : {2018, 2022}) {
    add(year, "net/core/dev.c", 8);
    add(year, "mm/shmem.c", 2);
  }
  std::vector<ExercisedCode> codes;
  const std::pair<uint64_t, uint64_t> executed[] = {{400, 100}, {200, 300}, {0, 500}};
  for (const auto& [net, mm] : executed) {
    ExercisedCode code;
    code.label = std::to_string(net);
    code.files = {{"net/core/dev.c", net, 1000}, {"mm/shmem.c", mm, 1000}};
    code.present_files = {"net/core/dev.c", "mm/shmem.c"};
    codes.push_back(std::move(code));
  }
  const auto result = retrodict(records, codes, 2020, std::nullopt, DateBasis::published);
  EXPECT_EQ(result.training_records, 10u);
  EXPECT_EQ(result.test_records, 10u);
  ASSERT_EQ(result.rows.size(), 3u);
  EXPECT_NEAR(result.rows[0].predicted, 0.4 * 8 + 0.1 * 2, 1e-9);
  EXPECT_NEAR(result.rows[0].observed, 0.4 * 8 + 0.1 * 2, 1e-9);
  EXPECT_NEAR(result.rows[0].predicted_uniform, 500.0 * 10 / 2000, 1e-9);
  EXPECT_DOUBLE_EQ(result.tau.value(), 1);
  EXPECT_EQ(result.tau_uniform, std::nullopt) << "the same number of lines everywhere: no order";
  EXPECT_EQ(retrodict(records, {codes[0]}, 2020, std::nullopt, DateBasis::published).tau, std::nullopt);
}

TEST(SourcePaths, AreRelativeToTheTree) {
  EXPECT_EQ(normalise_source_path("./include/linux/fs.h"), "include/linux/fs.h");
  EXPECT_EQ(normalise_source_path("/build/reproducible-path/linux-6.12.48/fs/aio.c"), "fs/aio.c");
  EXPECT_EQ(normalise_source_path("arch/x86/kvm/../../../virt/kvm/kvm_main.c"), "virt/kvm/kvm_main.c");
  EXPECT_EQ(normalise_source_path("/usr/src/linux/mm/mmap.c"), "mm/mmap.c");
  EXPECT_EQ(normalise_source_path(""), "");
}

TEST(Renderings, ShowTheFewestAndEveryCount) {
  const std::vector<Record> records{kernel_record("CVE-2024-0001", {"fs/aio.c"}),
                                    kernel_record("CVE-2024-0002", {"net/core/dev.c"})};
  auto lean = sample_code();
  lean.sandbox = "app-container";
  lean.files[1].executed_lines = 0;
  const std::vector<Exposure> exposures{expose(records, sample_code()), expose(records, lean)};
  const auto text = exposure_text(exposures, {});
  EXPECT_NE(text.find("Fewest met: app-container (1)"), std::string::npos) << text;
  const auto json = exposure_json(exposures, {});
  EXPECT_NE(json.find("\"decided_by\": \"file\""), std::string::npos);
  EXPECT_NE(exposure_csv(exposures).find("CVE-2024-0002"), std::string::npos);
}

class ExposureInputTest : public LedgerTest {};

TEST_F(ExposureInputTest, OfTheWholeLedgerInASecond) {
  HAP_NEEDS_PUBLIC_INPUT(input, "kernel_cna_compact.jsonl.gz");
  ASSERT_TRUE(import({input}).ok());
  ASSERT_TRUE(book().ok());  // classified once, as the first command after an import does
  auto code = sample_code();
  const auto all = records();
  code.files.clear();
  for (const auto& record : all) {
    for (const auto& file : record.files) code.files.push_back({file, 10, 100});
  }
  const auto start = std::chrono::steady_clock::now();
  auto opened = book();
  ASSERT_TRUE(opened.ok());
  std::vector<Record> loaded;
  for (auto& record : opened->records) loaded.push_back(std::move(record.record));
  const auto exposure = expose(loaded, code);
  std::printf("exposure of %zu records: %.2f s\n", loaded.size(),
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  EXPECT_GT(exposure.dated.exercised, 14000u);
  EXPECT_EQ(exposure.dated.openness_unknown, exposure.dated.exercised) << "this source has no ranges";
}

}  // namespace
}  // namespace hap::ledger
