// What the running kernel says of itself: identity, modules, conditions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hap {

struct KernelModule {
  std::string name;
  uint64_t size = 0;
  std::string address;   // as /proc/modules shows it, "0x..."; zeros for those who may not know it
  std::string build_id;  // lower-case hexadecimal, empty when unknown
  std::map<std::string, std::string> sections;  // name to "0x..."
};

struct KernelDescription {
  std::string release;
  std::string version;
  std::string build_id;
  std::string cmdline;
  std::string cpu_flags;
  std::map<std::string, std::string> vulnerabilities;
  std::string clocksource;
  std::string clocksources;  // available ones
  std::vector<KernelModule> modules;
};

// Of this machine. What cannot be read stays empty.
KernelDescription describe_kernel();

// The GNU build id out of ELF notes (each a header of three 32-bit words, name, contents, padded to four
// bytes) as lower-case hexadecimal, or "".
std::string build_id_of_notes(std::string_view notes);

}  // namespace hap
