#include <fmt/format.h>

#include <map>
#include <set>

#include "base/printable.h"
#include "report/formats.h"

namespace hap::report {
namespace {

struct FileCoverage {
  std::map<uint32_t, uint32_t> lines;  // line -> windows; 0: has code, did not execute
  std::map<std::string, std::pair<uint32_t, uint32_t>> functions;  // name -> declaration, windows
};

// Images whose code is a layer's; null stands for the HAP.
bool is_of(const ProfileImage& image, const std::optional<Layer>& layer) {
  const bool kernel = image.kind == ImageKind::kernel || image.kind == ImageKind::module;
  const bool host = image.space == Space::host;
  if (!layer) return host && (kernel || image.kind == ImageKind::hypervisor);
  switch (*layer) {
    case Layer::host_kernel:
      return host && kernel;
    case Layer::guest_kernel:
      return kernel;  // a Sentry is none; of a machine's kernel and a tenant's both may be one
    case Layer::hypervisor:
      return image.kind == ImageKind::hypervisor;
    case Layer::application:
    case Layer::sandbox:
    case Layer::host_daemon:
      break;
  }
  return image.kind == ImageKind::user;
}

// Every line with code of the files that were touched, from all images whose sources they are.
void add_lines_with_code(const Profile& profile, const Resolver& resolver, const std::optional<Layer>& layer,
                         std::map<std::string, FileCoverage>& files) {
  std::set<const Index*> done;
  for (size_t image = 0; image < profile.images().size(); ++image) {
    const Index* index = resolver.index(image);
    const auto& row = profile.images()[image];
    if (index == nullptr || !is_of(row, layer) || !done.insert(index).second) continue;
    for (FileId id = 0; id < index->file_count(); ++id) {
      const auto file = files.find(std::string(index->file(id)));
      if (file == files.end()) continue;
      for (const uint32_t line : index->code_lines(id)) file->second.lines.try_emplace(line, 0);
    }
  }
}

std::string safe_test_name(std::string name) {
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

}  // namespace

std::string render_lcov(const Profile& profile, const Resolver& resolver, const std::string& test_name,
                        const std::string& source_root, const std::optional<Layer>& layer) {
  const auto code = profile.select([&](const Account& account) {
    return layer ? counts_as_vap(account) && account.layer == *layer : counts_as_hap(account);
  });
  std::map<std::string, FileCoverage> files;
  profile.for_each_line_windows(code, [&](uint32_t id, std::span<const uint32_t> windows) {
    const auto& line = profile.lines()[id];
    auto& count = files[profile.files()[line.file].path].lines[line.line];
    count = std::max(count, static_cast<uint32_t>(windows.size()));
  });
  profile.for_each_function_windows(code, [&](uint32_t id, std::span<const uint32_t> windows) {
    const auto& function = profile.functions()[id];
    if (function.file.empty() || function.line == 0) return;
    files[function.file].functions[function.name] = {function.line, static_cast<uint32_t>(windows.size())};
  });
  add_lines_with_code(profile, resolver, layer, files);

  std::string out = fmt::format("TN:{}\n", safe_test_name(test_name));
  for (const auto& [path, file] : files) {
    const bool prefix = !source_root.empty() && path.substr(0, 1) != "/";
    out += fmt::format("SF:{}{}\n", prefix ? source_root + "/" : "", printable(path));
    for (const auto& [name, seen] : file.functions)
      out += fmt::format("FN:{},{}\n", seen.first, printable(name));
    for (const auto& [name, seen] : file.functions)
      out += fmt::format("FNDA:{},{}\n", seen.second, printable(name));
    out += fmt::format("FNF:{0}\nFNH:{0}\n", file.functions.size());
    size_t hit = 0;
    for (const auto& [line, windows] : file.lines) {
      out += fmt::format("DA:{},{}\n", line, windows);
      hit += windows > 0 ? 1 : 0;
    }
    out += fmt::format("LF:{}\nLH:{}\nend_of_record\n", file.lines.size(), hit);
  }
  return out;
}

}  // namespace hap::report
