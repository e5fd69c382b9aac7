// data/lab/warm.txt: what is in the guest's page cache at the checkpoint.
#pragma once

#include <string>
#include <vector>

namespace hap::lab {

struct WarmList {
  std::vector<std::string> files;
  std::vector<std::vector<std::string>> commands;
};

// Lines `read PATH` and `run ARGV...`; # starts a comment.
WarmList parse_warm_list(const std::string& text);

// Absolute paths of libraries in what ldd prints: `libc.so.6 => /lib/.../libc.so.6 (0x...)`, `/lib64/ld...
// (0x...)`.
std::vector<std::string> paths_in_ldd_output(const std::string& text);

}  // namespace hap::lab
