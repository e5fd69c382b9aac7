#include <gtest/gtest.h>

#include "base/subprocess.h"
#include "base/temp_dir.h"
#include "lab/accelerators.h"
#include "lab/cpio.h"
#include "lab/module_order.h"
#include "lab/qemu.h"
#include "lab/spec.h"
#include "lab/userland.h"
#include "lab/warm_list.h"

namespace hap::lab {
namespace {

// The archive's layout, read back field by field.
TEST(Cpio, WritesWhatTheKernelReads) {
  CpioWriter writer;
  writer.add_folder("hap");
  writer.add_file("hap/list", "12345", 0600);
  writer.add_character_device("console", 5, 1);
  const std::string archive = writer.finish();
  struct Entry {
    std::string name;
    unsigned mode;
    std::string content;
    unsigned major;
    unsigned minor;
  };
  std::vector<Entry> entries;
  for (size_t at = 0; at < archive.size();) {
    ASSERT_EQ(at % 4, 0U);
    ASSERT_EQ(archive.substr(at, 6), "070701");
    auto field = [&](size_t index) { return std::stoul(archive.substr(at + 6 + index * 8, 8), nullptr, 16); };
    size_t name = at + 110;
    size_t content = (name + field(11) + 3) / 4 * 4;
    entries.push_back({archive.substr(name, field(11) - 1), static_cast<unsigned>(field(1)),
                       archive.substr(content, field(6)), static_cast<unsigned>(field(9)),
                       static_cast<unsigned>(field(10))});
    EXPECT_EQ(archive[name + field(11) - 1], '\0');
    at = (content + field(6) + 3) / 4 * 4;
  }
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[0].name, "hap");
  EXPECT_EQ(entries[0].mode, 0040755U);
  EXPECT_EQ(entries[1].name, "hap/list");
  EXPECT_EQ(entries[1].mode, 0100600U);
  EXPECT_EQ(entries[1].content, "12345");
  EXPECT_EQ(entries[2].mode, 0020600U);
  EXPECT_EQ(entries[2].major, 5U);
  EXPECT_EQ(entries[2].minor, 1U);
  EXPECT_EQ(entries[3].name, "TRAILER!!!");
}

constexpr const char* kDependencies =
    "kernel/virt/irqbypass.ko:\n"
    "kernel/arch/kvm.ko: kernel/virt/irqbypass.ko\n"
    "kernel/arch/kvm-amd.ko: kernel/arch/kvm.ko kernel/virt/irqbypass.ko\n"
    "kernel/drivers/tun.ko:\n";

TEST(ModuleTree, PutsDependenciesFirstAndOnce) {
  ModuleTree tree(kDependencies, "kernel/fs/ext4.ko\n");
  auto files = tree.order(
      parse_wanted_modules("# comment\nkvm_amd nested=1\next4\nkvm # again\nabsent ?\ntun a=1 b=2\n"));
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 4U);
  EXPECT_EQ((*files)[0].path, "kernel/virt/irqbypass.ko");
  EXPECT_EQ((*files)[1].path, "kernel/arch/kvm.ko");
  EXPECT_EQ((*files)[2].path, "kernel/arch/kvm-amd.ko");
  EXPECT_EQ((*files)[2].parameters, "nested=1");
  EXPECT_EQ((*files)[3].path, "kernel/drivers/tun.ko");
  EXPECT_EQ((*files)[3].parameters, "a=1 b=2");
}

TEST(ModuleTree, SaysWhichModuleIsMissing) {
  auto files = ModuleTree(kDependencies, "").order(parse_wanted_modules("ext4\n"));
  ASSERT_FALSE(files);
  EXPECT_NE(files.error().message().find("ext4"), std::string::npos);
}

TEST(Qemu, ReadsTheVersion) {
  auto version = parse_qemu_version("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)\nCopyright\n");
  ASSERT_TRUE(version);
  EXPECT_EQ(version->major, 10);
  EXPECT_EQ(version->text, "10.0.2");
  EXPECT_EQ(parse_qemu_version("QEMU emulator version 7.2.17 (Debian)")->major, 7);
  EXPECT_FALSE(parse_qemu_version("something else"));
}

TEST(Qemu, CommandFollowsTheSpec) {
  LabSpec spec;
  spec.icount = "shift=2,sleep=off";
  spec.processors = 2;
  MachineParts parts;
  parts.root_image = "/a,b/root.ext4";
  auto argv = machine_command(spec, parts);
  auto has = [&](const std::string& text) {
    for (const auto& word : argv) {
      if (word.find(text) != std::string::npos) return true;
    }
    return false;
  };
  EXPECT_TRUE(has("shift=2,sleep=off"));
  EXPECT_TRUE(has("file=/a,,b/root.ext4,")) << "a comma in a path must not end the option";
  EXPECT_TRUE(has("readonly=on"));
  EXPECT_TRUE(has("nokaslr"));
  EXPECT_NE(machine_identity(spec), machine_identity(LabSpec())) << "other machines need other checkpoints";
  LabSpec older;
  older.cpu = "qemu64";
  EXPECT_NE(machine_identity(older), machine_identity(LabSpec())) << "another processor model";
}

TEST(Spec, RefusesNamesThatAreNone) {
  auto with = [](auto change) {
    LabSpec spec;
    change(spec);
    return check_spec(spec).ok();
  };
  EXPECT_TRUE(check_spec(LabSpec()));
  EXPECT_TRUE(with([](LabSpec& s) { s.kernel = "linux-image-6.12.1+deb13-cloud-amd64"; }));
  EXPECT_TRUE(with([](LabSpec& s) { s.suite = "bookworm"; }));
  EXPECT_FALSE(with([](LabSpec& s) { s.suite = "../x"; }));
  EXPECT_FALSE(with([](LabSpec& s) { s.suite = ""; }));
  EXPECT_FALSE(with([](LabSpec& s) { s.suite = "-o"; }));
  EXPECT_FALSE(with([](LabSpec& s) { s.kernel = "bash"; }));
  EXPECT_FALSE(with([](LabSpec& s) { s.processors = 0; }));
  EXPECT_TRUE(with([](LabSpec& s) { s.cpu = "Haswell-v1,-avx2"; }));
  EXPECT_FALSE(with([](LabSpec& s) { s.cpu = "max -S"; }));
  EXPECT_FALSE(with([](LabSpec& s) { s.cpu = "-S"; }));
  EXPECT_FALSE(with([](LabSpec& s) { s.memory_mib = 64; }));
  EXPECT_FALSE(with([](LabSpec& s) { s.icount = "shift=2 -S"; }));
  EXPECT_FALSE(with([](LabSpec& s) { s.mirror = "http://a] x"; }));
}

TEST(Spec, NamesThePackage) {
  LabSpec spec;
  EXPECT_EQ(kernel_package(spec), "linux-image-cloud-amd64");
  spec.kernel = "full";
  EXPECT_EQ(kernel_package(spec), "linux-image-amd64");
}

TEST(Userland, ReadsThePackageList) {
  EXPECT_EQ(parse_package_list("# x\nredis-server\nbash # why\n\nbash\n"),
            (std::vector<std::string>{"bash", "redis-server"}));
}

TEST(WarmList, ReadsFilesAndCommands) {
  auto list = parse_warm_list("# x\nread /usr/bin/bash\nrun node -e require('express')\nread\nnonsense /x\n");
  EXPECT_EQ(list.files, (std::vector<std::string>{"/usr/bin/bash"}));
  ASSERT_EQ(list.commands.size(), 1U);
  EXPECT_EQ(list.commands[0], (std::vector<std::string>{"node", "-e", "require('express')"}));
}

TEST(WarmList, FindsLibraries) {
  EXPECT_EQ(paths_in_ldd_output("/usr/bin/bash:\n"
                                "\tlinux-vdso.so.1 (0x00007ffd)\n"
                                "\tlibtinfo.so.6 => /lib/x86_64-linux-gnu/libtinfo.so.6 (0x00007f)\n"
                                "\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n"
                                "/x/y:\n\tnot a dynamic executable\n"),
            (std::vector<std::string>{"/lib/x86_64-linux-gnu/libtinfo.so.6", "/lib64/ld-linux-x86-64.so.2"}));
}

TEST(Accelerators, FirmwareEndsAtTheResetVector) {
  const std::string rom = exit_firmware();
  EXPECT_EQ(rom.size(), size_t{64} << 10);
  EXPECT_EQ(static_cast<unsigned char>(rom[rom.size() - 16]), 0xb0);
}

}  // namespace
}  // namespace hap::lab
