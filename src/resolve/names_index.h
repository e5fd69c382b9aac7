// An index of function names alone, for a kernel whose debug information is nowhere to be found: files, lines
// and complexity are unknown in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hap/resolver.h"

namespace hap::resolve {

struct NamedCode {
  std::uint64_t address = 0;  // image address
  std::uint64_t size = 0;     // bytes up to the next symbol
  std::string_view name;
};

// Static functions that share a name are told apart by their address: "show@ffffffff81234560".
Result<IndexStats> build_names_index(ImageKind kind, const std::string& build_id,
                                     const std::string& image_name, const std::vector<NamedCode>& names,
                                     const std::string& out_path);

// Where such an index lies in the cache, beside where one with lines would: <cache>/index/<id>.names.hapidx
std::string names_index_path(const std::string& cache, std::string_view build_id);

}  // namespace hap::resolve
