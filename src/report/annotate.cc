#include "report/annotate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "base/printable.h"

namespace hap::report {
namespace {

constexpr size_t largest_source = size_t{16} << 20;

bool ends_with_path(std::string_view path, std::string_view part) {
  if (path == part) return true;
  return path.size() > part.size() && path.substr(path.size() - part.size()) == part &&
         path[path.size() - part.size() - 1] == '/';
}

// Lines with code of a file, from every image that contains it.
void add_lines_with_code(const Profile& profile, const Resolver& resolver, const std::string& file,
                         std::map<uint32_t, AnnotatedLine>& lines) {
  for (size_t image = 0; image < profile.images().size(); ++image) {
    const Index* index = resolver.index(image);
    if (index == nullptr) continue;
    for (FileId id = 0; id < index->file_count(); ++id) {
      if (index->file(id) != file) continue;
      for (const uint32_t line : index->code_lines(id)) lines.try_emplace(line, AnnotatedLine{line});
    }
  }
}

void add_executed(const Profile& profile, const Selection& selection, LineState state,
                  const std::string& file, std::map<uint32_t, AnnotatedLine>& lines) {
  profile.for_each_line_windows(selection, [&](uint32_t id, std::span<const uint32_t> windows) {
    const auto& line = profile.lines()[id];
    if (profile.files()[line.file].path != file) return;
    auto& entry = lines[line.line];
    entry.line = line.line;
    entry.state = std::min(entry.state, state);
    entry.windows = std::max(entry.windows, static_cast<uint32_t>(windows.size()));
  });
}

Annotation annotate_file(const Profile& profile, const Resolver& resolver, const std::string& file) {
  std::map<uint32_t, AnnotatedLine> lines;
  add_lines_with_code(profile, resolver, file, lines);
  add_executed(profile, profile.select([](const Account& account) { return counts_as_hap(account); }),
               LineState::hap, file, lines);
  add_executed(profile, profile.select([](const Account& account) {
    return counts_as_hap(account, {.with_softirq = true});
  }),
               LineState::softirq, file, lines);
  add_executed(profile, profile.select(counts_as_vap), LineState::other_layer, file, lines);
  Annotation annotation;
  annotation.file = file;
  for (const auto& [number, line] : lines) annotation.lines.push_back(line);
  return annotation;
}

Error not_found(const std::string& target) {
  return Error("nothing of \"" + target + "\" executed", ErrorKind::usage)
      .hint("name a function or a source file that `hap report --format csv` lists");
}

}  // namespace

char mark_of(LineState state) {
  switch (state) {
    case LineState::hap:
      return 'H';
    case LineState::softirq:
      return 's';
    case LineState::other_layer:
      return 'v';
    case LineState::not_executed:
      break;
  }
  return '-';
}

Result<std::vector<Annotation>> annotate(const Profile& profile, const Resolver& resolver,
                                         const std::string& target) {
  std::vector<Annotation> found;
  std::set<std::pair<std::string, uint32_t>> done;
  for (const auto& function : profile.functions()) {
    if (function.name != target || function.file.empty() || function.label) continue;
    if (!done.emplace(function.file, function.line).second) continue;
    Annotation annotation = annotate_file(profile, resolver, function.file);
    annotation.function = function.name;
    annotation.first = function.line;
    annotation.last = function.lines ? function.line + *function.lines - 1 : function.line;
    std::erase_if(annotation.lines, [&](const AnnotatedLine& line) {
      return line.line < annotation.first || line.line > annotation.last;
    });
    found.push_back(std::move(annotation));
  }
  if (!found.empty()) return found;
  std::set<std::string> files;
  for (const auto& file : profile.files()) {
    if (ends_with_path(file.path, target)) files.insert(file.path);
  }
  if (files.empty()) return not_found(target);
  if (files.size() > 1 && !files.contains(target)) {
    return Error("\"" + target + "\" fits several files, among them " + *files.begin() + " and " +
                     *std::next(files.begin()),
                 ErrorKind::usage)
        .hint("give more of the path");
  }
  found.push_back(annotate_file(profile, resolver, files.size() > 1 ? target : *files.begin()));
  return found;
}

std::string render_text(const Annotation& annotation, const std::string& source_root) {
  size_t executed = 0;
  std::map<uint32_t, const AnnotatedLine*> by_number;
  for (const auto& line : annotation.lines) {
    executed += line.state != LineState::not_executed ? 1 : 0;
    by_number[line.line] = &line;
  }
  const std::string file = printable(annotation.file);
  std::string out = annotation.function.empty()
                        ? file
                        : fmt::format("{} ({}:{})", printable(annotation.function), file, annotation.first);
  out += fmt::format(": {} of {} lines with code executed\n", executed, annotation.lines.size());
  const auto prefix = [](uint32_t number, const AnnotatedLine* line) {
    if (line == nullptr) return fmt::format("{:>9} {:>6} |", "", number);
    const std::string windows = line->windows > 0 ? std::to_string(line->windows) : "";
    return fmt::format("{} {:>7} {:>6} |", mark_of(line->state), windows, number);
  };
  const std::string path = annotation.file.substr(0, 1) == "/" || source_root.empty()
                               ? annotation.file
                               : source_root + "/" + annotation.file;
  const auto source =
      source_root.empty() ? Result<std::string>(Error("no source wanted")) : read_file(path, largest_source);
  if (!source) {
    if (!source_root.empty())
      out += "The source is not shown: " + printable(source.error().to_string()) + "\n";
    for (const auto& line : annotation.lines) out += prefix(line.line, &line) + "\n";
    return out;
  }
  uint32_t number = 0;
  for (size_t at = 0; at < source->size();) {
    const size_t end = std::min(source->find('\n', at), source->size());
    ++number;
    const bool wanted = annotation.first == 0 || (number >= annotation.first && number <= annotation.last);
    if (wanted) {
      const auto known = by_number.find(number);
      out += prefix(number, known == by_number.end() ? nullptr : known->second);
      out += " " + printable_lines(std::string_view(*source).substr(at, end - at)) + "\n";
    }
    at = end + 1;
  }
  if (!annotation.lines.empty() && annotation.lines.back().line > number) {
    out += fmt::format(
        "This source has {} lines, but the kernel's has code in line {}: it is of another version.\n", number,
        annotation.lines.back().line);
  }
  return out;
}

}  // namespace hap::report
