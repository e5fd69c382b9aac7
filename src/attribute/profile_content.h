// What a Profile holds; filled by ProfileBuilder.
#pragma once

#include <cstdint>

#include "attribute/incidence_table.h"
#include "hap/profile.h"

namespace hap::attribute {

struct ProfileContent {
  static constexpr uint32_t no_function = 0xffffffff;

  struct BlockRow {
    uint32_t image = 0;
    uint64_t address = 0;
    uint32_t size = 0;
    uint32_t function =
        no_function;        // out-of-line function or label; none: not of the sandbox, never resolved
    bool resolved = false;  // lies in a known function
  };
  struct LineOfFunction {
    uint32_t function;  // innermost, or no_function
    uint32_t line;
  };

  explicit ProfileContent(size_t words)
      : function_hits(words), inlined_hits(words), line_hits(words), block_hits(words) {}

  RecordingHeader header;
  bool exact = true;
  std::vector<Guard> guards;
  std::vector<AccountTotal> accounts;
  std::vector<ProfileImage> images;
  std::vector<std::string> subsystems;
  std::vector<ProfileFile> files;
  std::vector<ProfileFunction> functions;
  std::vector<ProfileLine> lines;
  std::vector<LineOfFunction> function_lines;  // items of line_hits
  std::vector<BlockRow> blocks;                // items of block_hits; sorted by image, address
  std::vector<uint32_t> concerned_blocks;      // those with hits that concern the sandbox, ascending

  IncidenceTable function_hits;  // out of line; labels too
  IncidenceTable inlined_hits;
  IncidenceTable line_hits;
  IncidenceTable block_hits;
};

}  // namespace hap::attribute
