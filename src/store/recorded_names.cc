#include "store/recorded_names.h"

#include <charconv>
#include <filesystem>
#include <map>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "resolve/names_index.h"

namespace hap::store {
namespace {

std::string_view take_word(std::string_view& line) {
  const size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <typename Number>
bool parse(std::string_view word, Number& value, int base) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
  return !word.empty() && error == std::errc() && end == word.data() + word.size();
}

using NamesByImage = std::map<uint32_t, std::vector<resolve::NamedCode>>;

// Lines "IMAGE ADDRESS SIZE NAME", numbers in hexadecimal but for the image's.
Result<NamesByImage> parse_names(std::string_view text) {
  NamesByImage names;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    uint32_t image = 0;
    resolve::NamedCode code;
    const bool good = parse(take_word(line), image, 10) && parse(take_word(line), code.address, 16) &&
                      parse(take_word(line), code.size, 16) && !line.empty() && code.size > 0 &&
                      code.address + code.size > code.address;
    if (!good) return Error("the recording's function names are damaged", ErrorKind::corrupt);
    code.name = line;
    names[image].push_back(code);
  }
  return names;
}

}  // namespace

Status provide_recorded_names(const Recording& recording, const std::string& cache) {
  const std::string text = recording.meta("symbols");
  if (text.empty()) return {};
  HAP_TRY(names, parse_names(text));
  for (const Image& image : recording.header().images) {
    const auto known = names.find(image.id);
    std::error_code ignored;
    if (known == names.end() || image.build_id.empty() ||
        image.build_id.find_first_not_of("0123456789abcdef") != std::string::npos ||
        std::filesystem::exists(index_path(cache, image.build_id), ignored)) {
      continue;
    }
    HAP_CHECK(make_dirs(cache + "/index"));
    HAP_TRY(stats, resolve::build_names_index(image.kind, image.build_id, image.path, known->second,
                                              resolve::names_index_path(cache, image.build_id)));
    (void)stats;
  }
  return {};
}

}  // namespace hap::store
