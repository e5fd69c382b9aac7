// From the kernel's symbols and type information to the hooks file, and what the plugin makes of it.
#include <bpf/btf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "collect/emulator/btf_layout.h"
#include "collect/emulator/hooks_file.h"
#include "collect/emulator/kallsyms.h"
#include "collect/emulator/kernel_map.h"
#include "hook_table.h"

namespace hap::collect {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr char symbols_text[] =
    "0000000000035000 D pcpu_hot\n"
    "ffffffff81000000 T _stext\n"
    "ffffffff81000100 T __switch_to_asm\n"
    "ffffffff81000180 t rcu_do_batch\n"
    "ffffffff81000280 T do_syscall_64\n"
    "ffffffff81000300 T schedule\n"
    "ffffffff81000340 T preempt_schedule_irq\n"
    "ffffffff81000380 t __pfx___netif_receive_skb_core.constprop.0\n"
    "ffffffff81000390 t __netif_receive_skb_core.constprop.0\n"
    "ffffffff81000400 t __netif_receive_skb_core.constprop.0.cold\n"
    "ffffffff81e00010 T __entry_text_start\n"
    "ffffffff81e00230 T irq_entries_start\n"
    "ffffffff81e00330 T spurious_entries_start\n"
    "ffffffff81e00400 T asm_exc_page_fault\n"
    "ffffffff81e00440 T asm_sysvec_apic_timer_interrupt\n"
    "ffffffff81e00480 T asm_exc_nmi_kvm_vmx\n"
    "ffffffff81e02000 T __entry_text_end\n"
    "ffffffff82040000 d special_mapping_vmops\n"
    "ffffffff82600000 R __start___ex_table\n"
    "ffffffff82600c00 R __stop___ex_table\n"
    "ffffffff82d00000 D modules\n"
    "ffffffffc0100000 t x86_emulate_instruction\t[kvm]\n"
    "ffffffffc0100100 t __do_insn_fetch_bytes\t[kvm]\n";

// The smallest type information with every member that is required.
class TypeInformation {
 public:
  TypeInformation() : types_(btf__new_empty()) {
    number_ = btf__add_int(types_.get(), "u64", 8, 0);
    // Members of anonymous structures count as the outer structure's own.
    const int hot = btf__add_struct(types_.get(), nullptr, 64);
    btf__add_field(types_.get(), "current_task", number_, 0, 0);
    btf__add_field(types_.get(), "preempt_count", number_, 64, 0);
    btf__add_struct(types_.get(), "pcpu_hot", 64);
    btf__add_field(types_.get(), nullptr, hot, 0, 0);

    structure("task_struct",
              {"pid", "tgid", "comm", "flags", "mm", "real_parent", "start_boottime", "cgroups"});
    structure("css_set", {"dfl_cgrp"});
    structure("cgroup", {"kn"});
    structure("kernfs_node", {"id", "name", "__parent"});  // renamed in Linux 6.15
    const int tree = structure("maple_tree", {"ma_flags", "ma_root"});
    nested("mm_struct", "mm_mt", tree);
    structure("maple_range_64", {"parent", "pivot", "slot"});
    structure("maple_arange_64", {"parent", "pivot", "slot"});
    structure("vm_area_struct", {"vm_start", "vm_end", "vm_pgoff", "vm_file", "vm_ops", "vm_private_data"});
    structure("vm_special_mapping", {"name"});
    const int path = structure("path", {"mnt", "dentry"});
    btf__add_struct(types_.get(), "file", 64);
    btf__add_field(types_.get(), "f_inode", number_, 0, 0);
    btf__add_field(types_.get(), "f_path", path, 64, 0);
    structure("inode", {"i_ino", "i_sb"});
    structure("super_block", {"s_dev"});
    const int name = structure("qstr", {"hash_len", "name"});
    btf__add_struct(types_.get(), "dentry", 64);
    btf__add_field(types_.get(), "d_parent", number_, 0, 0);
    btf__add_field(types_.get(), "d_name", name, 64, 0);
    structure("mount", {"mnt_parent", "mnt_mountpoint", "mnt"});
    structure("vfsmount", {"mnt_root"});
  }

  std::span<const std::byte> bytes() const {
    uint32_t size = 0;
    const void* raw = btf__raw_data(types_.get(), &size);
    return {static_cast<const std::byte*>(raw), size};
  }

 private:
  int structure(const char* name, std::vector<const char*> members) {
    const int id = btf__add_struct(types_.get(), name, static_cast<uint32_t>(members.size() * 8));
    for (size_t i = 0; i < members.size(); ++i) {
      btf__add_field(types_.get(), members[i], number_, static_cast<uint32_t>(i * 64), 0);
    }
    return id;
  }
  void nested(const char* name, const char* member, int type) {
    btf__add_struct(types_.get(), name, 64);
    btf__add_field(types_.get(), "before", number_, 0, 0);
    btf__add_field(types_.get(), member, type, 64, 0);
  }

  struct Free {
    void operator()(btf* types) const { btf__free(types); }
  };
  std::unique_ptr<btf, Free> types_;
  int number_;
};

TEST(Kallsyms, ClonesAreTheFunctionAndColdPartsAreNot) {
  auto symbols = Kallsyms::parse(symbols_text);
  ASSERT_TRUE(symbols);
  const auto found = symbols->functions("__netif_receive_skb_core");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].begin, 0xffffffff81000390u);
  EXPECT_EQ(found[0].end, 0xffffffff81000400u);
}

TEST(Kallsyms, PartsOfAFunctionAreOneWithIt) {
  auto symbols = Kallsyms::parse(
      "1000 T first\n"
      "1000 t alias_of_first\n"
      "1100 t second.isra.0\n"
      "1200 t twice\n"
      "1300 t twice\n"
      "2000 t first.cold\n"
      "2100 t second.isra.0.cold\n"
      "2200 t twice.cold\n"
      "3000 t first\t[module]\n");
  ASSERT_TRUE(symbols);
  EXPECT_EQ(symbols->function_at(0xfff), std::nullopt);
  EXPECT_EQ(symbols->function_at(0x1000), symbols->function_at(0x10ff));
  EXPECT_EQ(symbols->function_at(0x2001), symbols->function_at(0x1000)) << "a cold part";
  EXPECT_EQ(symbols->function_at(0x2101), symbols->function_at(0x1100)) << "of a clone without its origin";
  EXPECT_NE(symbols->function_at(0x1200), symbols->function_at(0x1300)) << "two functions of one name";
  EXPECT_NE(symbols->function_at(0x2200), symbols->function_at(0x1200)) << "nobody knows which of them";
  EXPECT_NE(symbols->function_at(0x3000), symbols->function_at(0x1000)) << "another module";
  EXPECT_EQ(symbols->function_at(0x3fff, 0x1000), symbols->function_at(0x3000));
  EXPECT_EQ(symbols->function_at(0x4000, 0x1000), std::nullopt) << "too far behind";
}

TEST(Kallsyms, HiddenAddressesAndOtherFilesAreRefused) {
  const auto hidden = Kallsyms::parse("0000000000000000 T _stext\n0000000000000000 T schedule\n");
  ASSERT_FALSE(hidden);
  EXPECT_THAT(hidden.error().hint(), HasSubstr("kptr_restrict"));
  EXPECT_FALSE(Kallsyms::parse("Linux version 6.12\n"));
  EXPECT_FALSE(Kallsyms::parse(""));
}

TEST(BtfLayout, FollowsMembersOfMembersAndOfAnonymousOnes) {
  TypeInformation types;
  auto layout = BtfLayout::parse(types.bytes());
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->offset("pcpu_hot.preempt_count"), 8u);
  EXPECT_EQ(layout->offset("mm_struct.mm_mt.ma_root"), 16u);
  EXPECT_EQ(layout->offset("file.f_path.dentry"), 16u);
  EXPECT_EQ(layout->offset("file.f_nothing"), std::nullopt);
  EXPECT_EQ(layout->offset("nothing.at_all"), std::nullopt);
}

TEST(BtfLayout, OtherBytesAreRefused) {
  const std::string junk(100, 'x');
  EXPECT_FALSE(BtfLayout::parse(std::as_bytes(std::span(junk))));
  EXPECT_FALSE(BtfLayout::parse({}));
}

TEST(HooksFile, ThePluginReadsWhatTheHostWrites) {
  TypeInformation types;
  HooksReport report;
  auto text = hooks_text(symbols_text, types.bytes(), &report);
  ASSERT_TRUE(text) << text.error().to_string();
  EXPECT_THAT(report.absent_functions, Contains("process_one_work"));
  EXPECT_THAT(report.absent_members, Contains("sk_buff.dev"));

  const std::string path = testing::TempDir() + "hap-hooks-test";
  std::ofstream(path) << *text;
  hap_plugin::HookTable table;
  std::string error;
  ASSERT_TRUE(table.load(path, error)) << error;
  std::filesystem::remove(path);

  using hap_plugin::HookKind;
  EXPECT_EQ(table.value("preempt_count"), 0x35008u);
  EXPECT_EQ(table.value("current_task"), 0x35000u);
  EXPECT_EQ(table.offset("kernfs_node.parent"), 16u) << "found by its newer name";
  ASSERT_NE(table.at_entry(0xffffffff81000100), nullptr);
  EXPECT_EQ(table.at_entry(0xffffffff81000100)->kind, HookKind::switch_to);
  EXPECT_EQ(table.at_entry(0xffffffff81000390)->kind, HookKind::receive_skb_at);
  EXPECT_EQ(table.at_entry(0xffffffff81e00400)->kind, HookKind::exception);
  EXPECT_EQ(table.at_entry(0xffffffff81e00440)->kind, HookKind::interrupt);
  EXPECT_EQ(table.at_entry(0xffffffff81e00480), nullptr) << "called by KVM, not an entry";
  ASSERT_NE(table.at_entry(0xffffffff81e00240), nullptr) << "every stub of the vector table is an entry";
  EXPECT_EQ(table.at_entry(0xffffffff81e00240)->kind, HookKind::interrupt);
  EXPECT_EQ(table.at_entry(0xffffffff81e00243), nullptr);
  EXPECT_EQ(table.at_entry(0xffffffffc0100000)->kind, HookKind::emulate_instruction);
  ASSERT_NE(table.at_entry(0xffffffffc0100100), nullptr);
  EXPECT_EQ(table.at_entry(0xffffffffc0100100)->kind, HookKind::fetch_instruction);
  EXPECT_TRUE(table.in_rcu_batch(0xffffffff810001a0));
  EXPECT_FALSE(table.in_rcu_batch(0xffffffff81000280));
}

TEST(HooksFile, AKernelWithoutTheEssentialsIsRefused) {
  TypeInformation types;
  std::string without_switch(symbols_text);
  without_switch.replace(without_switch.find("__switch_to_asm"), 15, "somethin_else_0");
  const auto text = hooks_text(without_switch, types.bytes());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind(), ErrorKind::unsupported);
  EXPECT_THAT(text.error().message(), HasSubstr("__switch_to_asm"));
}

TEST(HookTable, DamagedFilesAreRefused) {
  const std::string path = testing::TempDir() + "hap-hooks-damaged";
  for (const char* content :
       {"", "hapmeter-hooks 2\n", "hapmeter-hooks 1\n", "hapmeter-hooks 1\nhook switch_to 0x10\n",
        "hapmeter-hooks 1\nhook what 0x10 0x20\n", "hapmeter-hooks 1\nvalue preempt_count x\n"}) {
    std::ofstream(path) << content;
    hap_plugin::HookTable table;
    std::string error;
    EXPECT_FALSE(table.load(path, error)) << content;
    EXPECT_NE(error, "");
  }
  std::filesystem::remove(path);
}

TEST(KernelMap, AddressesFallIntoTheKernelItsModulesOrRunTimeCode) {
  auto map = KernelMap::build(R"({"build_id": "aa", "modules": [
      {"name": "kvm", "address": "0xffffffffc0100000", "build_id": "bb",
       "sections": {".text": "0xffffffffc0100000", ".rodata": "0xffffffffc0110000", ".init.text": "0xffffffffc0200000"}},
      {"name": "tun", "address": "0xffffffffc0105000", "sections": {}}]})",
                              "ffffffff81000000 T _stext\n"
                              "ffffffffc0103010 t kvm_last\t[kvm]\n"
                              "ffffffffc0105000 t tun_first\t[tun]\n");
  ASSERT_TRUE(map) << map.error().to_string();
  const auto name = [&](uint64_t address) { return map->images()[map->place(address).image].path; };
  EXPECT_EQ(name(0xffffffff81234567), "vmlinux");
  EXPECT_EQ(name(0xffffffffc0100040), "kvm");
  EXPECT_EQ(map->place(0xffffffffc0100040).address, 0x40u);
  EXPECT_EQ(name(0xffffffffc0103fff), "kvm") << "to the end of the page of its last symbol";
  EXPECT_EQ(name(0xffffffffc0104000), "[bpf]");
  EXPECT_EQ(name(0xffffffffc0105010), "tun");
  EXPECT_EQ(name(0xffff888000001000), "[unresolved]");
}

TEST(KernelMap, DamagedDescriptionsAreRefused) {
  EXPECT_FALSE(KernelMap::build("{", "ffffffff81000000 T _stext\n"));
  EXPECT_FALSE(KernelMap::build("{}", "ffffffff81000000 T _stext\n"));
  EXPECT_FALSE(
      KernelMap::build(R"({"modules": [{"name": "x", "address": "0x0"}]})", "ffffffff81000000 T _stext\n"));
}

}  // namespace
}  // namespace hap::collect
