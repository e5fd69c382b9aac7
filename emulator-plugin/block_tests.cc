// SPDX-License-Identifier: GPL-2.0-or-later
#include "block_tests.h"

#include <cstring>
#include <initializer_list>

namespace hap_plugin {
namespace {

// The call: mov rsi, imm64; xor edi, edi; call [rip + offset].
constexpr size_t site_bytes = 18;
constexpr size_t at_argument = 2;
constexpr size_t at_processor = 10;
constexpr size_t at_call = 12;
constexpr size_t at_call_offset = 14;

constexpr size_t stub_bytes = 32;
constexpr size_t stubs_capacity = size_t{1} << 20;  // beyond it, calls stay until QEMU throws its code away

#if defined(__x86_64__)
constexpr bool host_known = true;
#else
constexpr bool host_known = false;
#endif

// Puts machine code together.
class Writer {
 public:
  explicit Writer(std::byte* at) : at_(at) {}
  Writer& bytes(std::initializer_list<uint8_t> list) {
    for (const uint8_t byte : list) *at_++ = std::byte{byte};
    return *this;
  }
  Writer& value(const void* value) {
    std::memcpy(at_, &value, sizeof(value));
    at_ += sizeof(value);
    return *this;
  }
  // The offset of `target` from the end of the instruction, which this ends.
  Writer& offset(const void* target) {
    const auto* end = at_ + sizeof(int32_t);
    const auto distance =
        static_cast<int32_t>(reinterpret_cast<intptr_t>(target) - reinterpret_cast<intptr_t>(end));
    std::memcpy(at_, &distance, sizeof(distance));
    at_ += sizeof(distance);
    return *this;
  }

 private:
  std::byte* at_;
};

template <typename T>
T read(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

bool is(const std::byte* at, std::initializer_list<uint8_t> bytes) {
  for (const uint8_t byte : bytes) {
    if (*at++ != std::byte{byte}) return false;
  }
  return true;
}

}  // namespace

BlockTests::BlockTests(const AddressRange& code, const uint32_t* bit, Callback first, Callback later)
    : code_(code), bit_(bit), later_(later) {
  if (!host_known || code.begin == code.end) return;
  stubs_ = Memory::within_reach(code, stub_bytes * stubs_capacity, true);
  far_call_ = Memory::low(4096);
  if (!stubs_ || !far_call_) return;
  // mov rax, first; jmp rax
  Writer(far_call_.data()).bytes({0x48, 0xb8}).value(reinterpret_cast<void*>(first)).bytes({0xff, 0xe0});
  if (!far_call_.make_read_only_code()) far_call_ = {};
}

BlockTests::Callback BlockTests::callback() const {
  return stubs_ && far_call_ ? reinterpret_cast<Callback>(far_call_.data()) : later_;
}

void BlockTests::write(void* behind, void* argument) {
  auto* const end = static_cast<std::byte*>(behind);
  std::byte* const site = end - site_bytes;
  const auto is_site = [&] {
    if (!code_.contains(reinterpret_cast<uintptr_t>(site)) || stubs_used_ == stubs_capacity) return false;
    if (!is(site, {0x48, 0xbe}) || read<void*>(site + at_argument) != argument) return false;
    if (!is(site + at_processor, {0x33, 0xff}) || !is(site + at_call, {0xff, 0x15})) return false;
    const std::byte* target = end + read<int32_t>(site + at_call_offset);
    return code_.contains(reinterpret_cast<uintptr_t>(target)) &&
           read<std::byte*>(target) == far_call_.data();
  };
  if (!is_site()) {
    ++left_as_calls_;
    return;
  }
  const std::byte* stub = write_stub(argument, end);
  Writer(site)
      .bytes({0x8b, 0x05})
      .offset(bit_)
      .bytes({0x85, 0x05})
      .offset(mask_of(argument))
      .bytes({0x0f, 0x84})
      .offset(stub);
  ++written_;
}

// mov rsi, argument; xor edi, edi; mov rax, later; call rax; jmp behind
std::byte* BlockTests::write_stub(void* argument, const std::byte* behind) {
  std::byte* stub = stubs_.data() + stub_bytes * stubs_used_++;
  Writer(stub)
      .bytes({0x48, 0xbe})
      .value(argument)
      .bytes({0x33, 0xff, 0x48, 0xb8})
      .value(reinterpret_cast<void*>(later_))
      .bytes({0xff, 0xd0, 0xe9})
      .offset(behind);
  return stub;
}

}  // namespace hap_plugin
