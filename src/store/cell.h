// A measured cell, opened: its recording, the symbols for it and the profile computed from both.
#pragma once

#include <string>
#include <vector>

#include "hap/profile.h"
#include "hap/recording.h"
#include "hap/resolver.h"
#include "hap/result.h"

namespace hap::store {

struct Cell {
  Recording recording;
  Resolver resolver;
  Profile profile;
};

// Opens one recording. Images without symbols are no error here: profile.usable() and profile.images() tell.
Result<Cell> open_cell(const std::string& path, const ResolverOptions& options,
                       const IndexProgress& progress = {});

// The recordings that arguments name: files as they are, folders with every *.hap below them, sorted. Errors
// (usage): nothing at that path; a folder without a recording.
Result<std::vector<std::string>> find_recordings(const std::vector<std::string>& paths);

}  // namespace hap::store
