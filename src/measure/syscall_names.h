// Names of the system calls of x86-64, as the kernel's own table and every seccomp profile spell them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hap::measure {

// "" for a number that the table does not have.
std::string_view syscall_name(uint32_t number);
std::optional<uint32_t> syscall_number(std::string_view name);

}  // namespace hap::measure
