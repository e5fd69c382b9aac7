// What the commands that analyse recordings share: finding symbols, and refusing measurements not to be
// trusted.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/paths.h"
#include "store/cell.h"

namespace hap::cli {

struct AnalysisOptions {
  std::vector<std::string> debug_roots;
  bool debuginfod = false;
  bool force = false;
};

// --debug-root, --debuginfod, --force
inline void add_analysis_options(CLI::App& command, AnalysisOptions& options) {
  command
      .add_option("--debug-root", options.debug_roots,
                  "File tree in which to look for programs and debug files without a symbol index")
      ->type_name("DIR");
  command.add_flag("--debuginfod", options.debuginfod, "Ask debuginfod for debug files that are missing");
  command.add_flag("--force", options.force, "Show figures even of a measurement that failed a check");
}

// Opens the recording and, unless forced, refuses it when one of its guards failed.
inline Result<store::Cell> open_trusted_cell(const std::string& path, const AnalysisOptions& options) {
  HAP_TRY(cache, cache_dir());
  ResolverOptions resolver;
  resolver.cache = cache;
  resolver.roots = options.debug_roots;
  resolver.debuginfod = options.debuginfod;
  resolver.build_missing = !options.debug_roots.empty() || options.debuginfod;
  HAP_TRY(cell, store::open_cell(path, resolver));
  if (!options.force) {
    if (const auto usable = cell.profile.usable(); !usable) {
      Error error = usable.error();
      return Error(error).at(path);
    }
  }
  return cell;
}

}  // namespace hap::cli
