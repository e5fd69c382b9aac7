// Source with what executed: `hap annotate`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hap/profile.h"
#include "hap/resolver.h"
#include "hap/result.h"

namespace hap::report {

// How a line takes part in phase serve; the strongest that applies.
enum class LineState { hap, softirq, other_layer, not_executed };
char mark_of(LineState state);  // 'H', 's', 'v', '-'

struct AnnotatedLine {
  uint32_t line = 0;
  LineState state = LineState::not_executed;
  uint32_t windows = 0;  // seen in, whatever the layer
};

struct Annotation {
  std::string file;      // as the symbols name it
  std::string function;  // empty: the whole file
  uint32_t first = 0;    // span of lines to show; 0: all
  uint32_t last = 0;
  std::vector<AnnotatedLine> lines;  // every line with machine code, ascending
};

// `target` is a function's name or a source file, whole or its last parts ("ipv4/tcp.c"). One annotation per
// match. Errors (usage): nothing of that name executed; a file part that fits several files.
Result<std::vector<Annotation>> annotate(const Profile& profile, const Resolver& resolver,
                                         const std::string& target);

// With the source text when it is found below `source_root`, else the lines with code only.
std::string render_text(const Annotation& annotation, const std::string& source_root);

}  // namespace hap::report
