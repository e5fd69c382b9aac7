#include "resolve/names_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "resolve/code_model.h"
#include "resolve/index_writer.h"

namespace hap::resolve {

Result<IndexStats> build_names_index(ImageKind kind, const std::string& build_id,
                                     const std::string& image_name, const std::vector<NamedCode>& names,
                                     const std::string& out_path) {
  std::unordered_map<std::string_view, std::size_t> occurrences;
  for (const NamedCode& code : names) ++occurrences[code.name];
  std::deque<std::string> made;
  std::vector<LinkedSymbol> symbols;
  symbols.reserve(names.size());
  // An index holds 4 GiB from its base: a kernel lies at the upper end of its 64 bits.
  std::uint64_t lowest = names.empty() ? 0 : names.front().address;
  for (const NamedCode& code : names) {
    lowest = std::min(lowest, code.address);
    LinkedSymbol symbol;
    symbol.name = occurrences[code.name] == 1
                      ? code.name
                      : std::string_view(made.emplace_back(fmt::format("{}@{:x}", code.name, code.address)));
    symbol.address = code.address;
    symbol.size = code.size;
    symbol.function = true;
    symbols.push_back(symbol);
  }
  CodeModel model = make_model({}, std::move(symbols), {}, build_id);
  model.kind = kind;
  model.image_name = image_name;
  model.base = lowest;
  return write_index(model, 0, out_path);
}

std::string names_index_path(const std::string& cache, std::string_view build_id) {
  return cache + "/index/" + std::string(build_id) + ".names.hapidx";
}

}  // namespace hap::resolve
