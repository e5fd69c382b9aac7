// The test that the emulator's plugin writes into generated code, run as the processor would.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "block_tests.h"

namespace hap::testing {
namespace {

using hap_plugin::AddressRange;
using hap_plugin::BlockTests;
using hap_plugin::Memory;

#if defined(__x86_64__)

constexpr size_t code_bytes = 4096;

struct Calls {
  int first = 0;
  int later = 0;
  void* behind = nullptr;
  void* argument = nullptr;
};
Calls calls;  // callbacks carry the block's argument only

void on_first(unsigned, void* argument) {
  ++calls.first;
  calls.behind = __builtin_return_address(0);
  calls.argument = argument;
}
void on_later(unsigned, void* argument) {
  ++calls.later;
  calls.argument = argument;
}

class BlockTestsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    calls = {};
    void* memory =
        ::mmap(nullptr, code_bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    code_ = static_cast<uint8_t*>(memory);
    range_ = {reinterpret_cast<uintptr_t>(code_), reinterpret_cast<uintptr_t>(code_) + code_bytes};
    data_ = Memory::within_reach(range_, 4096, false);
    ASSERT_TRUE(data_);
    bit_ = reinterpret_cast<uint32_t*>(data_.data());
    mask_ = reinterpret_cast<uint64_t*>(data_.data()) + 8;
    tests_ = std::make_unique<BlockTests>(range_, bit_, on_first, on_later);
  }
  void TearDown() override {
    tests_.reset();
    ::munmap(code_, code_bytes);
  }

  // As QEMU's generated code calls: with the stack aligned, the function's address in a pool behind. `load`
  // is the instruction that loads the argument.
  void generate(void* argument, std::vector<uint8_t> load = {0x48, 0xbe}) {
    std::vector<uint8_t> code = {0x48, 0x83, 0xec, 0x08};  // sub rsp, 8
    code.insert(code.end(), load.begin(), load.end());
    append(code, argument);
    code.insert(code.end(), {0x33, 0xff, 0xff, 0x15});  // xor edi, edi; call [rip + ...]
    const auto offset = static_cast<int32_t>(pool_at - (code.size() + 4));
    append(code, offset);
    code.insert(code.end(), {0x48, 0x83, 0xc4, 0x08, 0xc3});  // add rsp, 8; ret
    ASSERT_LT(code.size(), pool_at);
    std::memcpy(code_, code.data(), code.size());
    const auto callback = tests_->callback();
    std::memcpy(code_ + pool_at, &callback, sizeof(callback));
  }
  void run() const { reinterpret_cast<void (*)()>(code_)(); }

  template <typename T>
  static void append(std::vector<uint8_t>& code, const T& value) {
    uint8_t bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    code.insert(code.end(), bytes, bytes + sizeof(T));
  }

  static constexpr size_t pool_at = 64;
  uint8_t* code_ = nullptr;
  AddressRange range_;
  Memory data_;
  uint32_t* bit_ = nullptr;
  uint64_t* mask_ = nullptr;
  std::unique_ptr<BlockTests> tests_;
};

TEST_F(BlockTestsTest, CallsOnlyForAnActorThatTheMaskDoesNotHave) {
  void* const argument = BlockTests::argument_of(mask_);
  EXPECT_EQ(BlockTests::mask_of(argument), mask_);
  generate(argument);
  run();
  ASSERT_EQ(calls.first, 1);
  EXPECT_EQ(calls.argument, argument);
  tests_->write(calls.behind, argument);
  EXPECT_EQ(tests_->written(), 1u);
  EXPECT_EQ(tests_->left_as_calls(), 0u);

  calls.argument = nullptr;
  *bit_ = 4;
  *mask_ = 3;
  run();
  EXPECT_EQ(calls.later, 1);
  EXPECT_EQ(calls.argument, argument);
  *mask_ = 7;
  run();
  EXPECT_EQ(calls.later, 1);
  *bit_ = 0;  // an actor that has no bit there
  run();
  EXPECT_EQ(calls.later, 2);
  EXPECT_EQ(calls.first, 1);
}

TEST_F(BlockTestsTest, AfterAFlushStubsAreUsedAgain) {
  uint8_t* stub = nullptr;
  for (int times = 0; times < 3; ++times) {
    void* const argument = BlockTests::argument_of(mask_ + times);
    generate(argument);
    run();
    tests_->write(calls.behind, argument);
    *bit_ = 1;
    run();
    EXPECT_EQ(calls.argument, argument);
    EXPECT_EQ(calls.later, times + 1);
    int32_t offset = 0;
    auto* const behind = static_cast<uint8_t*>(calls.behind);
    std::memcpy(&offset, behind - sizeof(offset), sizeof(offset));
    if (times == 0) stub = behind + offset;
    EXPECT_EQ(behind + offset, stub);
    tests_->flushed();
  }
}

// Intent: whatever is not exactly such a call stays as it is, and works.
TEST_F(BlockTestsTest, OtherCodeStaysACall) {
  void* const argument = BlockTests::argument_of(mask_);
  const auto refuses = [&](void* behind, void* of) {
    const std::vector<uint8_t> before(code_, code_ + code_bytes);
    tests_->write(behind, of);
    EXPECT_EQ(std::memcmp(before.data(), code_, code_bytes), 0);
    EXPECT_EQ(tests_->written(), 0u);
  };
  generate(argument);
  run();
  refuses(calls.behind, BlockTests::argument_of(mask_ + 1));       // another block's
  refuses(static_cast<uint8_t*>(calls.behind) + 1, argument);      // between instructions
  refuses(reinterpret_cast<void*>(range_.begin + 4), argument);    // too near the beginning
  refuses(reinterpret_cast<uint8_t*>(range_.end) + 64, argument);  // behind all code
  const auto other = reinterpret_cast<void (*)(unsigned, void*)>(on_later);
  std::memcpy(code_ + pool_at, &other, sizeof(other));
  refuses(calls.behind, argument);         // another function's call
  generate(argument, {0x90, 0x48, 0xbf});  // mov rdi
  refuses(code_ + 4 + 3 + 8 + 8, argument);
  EXPECT_EQ(tests_->left_as_calls(), 6u);
}

TEST(GeneratedCode, IsTheLargestMappingThatIsWrittenAndExecuted) {
  constexpr size_t size = size_t{1} << 30;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const auto at = reinterpret_cast<uintptr_t>(memory);
  const AddressRange found = hap_plugin::generated_code();
  ::munmap(memory, size);
  EXPECT_TRUE(found.contains(at) && found.contains(at + size - 1));
  EXPECT_FALSE(hap_plugin::generated_code().contains(at));
}

TEST(GeneratedCode, MemoryIsWithinReach) {
  const AddressRange code{0x7f0000000000, 0x7f0040000000};
  const Memory memory = Memory::within_reach(code, size_t{512} << 20, false);
  ASSERT_TRUE(memory);
  const auto begin = reinterpret_cast<uintptr_t>(memory.data());
  const auto end = begin + (size_t{512} << 20);
  EXPECT_LT(std::max(end, code.end) - std::min(begin, code.begin), uintptr_t{1} << 31);
  EXPECT_FALSE(Memory::within_reach({0x7f0000000000, 0x7f0080000000}, 4096, false));
  EXPECT_FALSE(Memory::within_reach({}, 4096, false));
}

#endif

}  // namespace
}  // namespace hap::testing
