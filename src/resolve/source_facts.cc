#include "resolve/source_facts.h"

#include <functional>

namespace hap::resolve {

std::size_t FunctionKeyHash::operator()(const FunctionKey& key) const {
  const std::hash<std::string_view> hash;
  std::size_t seed = hash(key.name);
  for (const std::size_t part : {hash(key.linkage), std::size_t{key.file}, std::size_t{key.line}}) {
    seed ^= part + 0x9e3779b97f4a7c15ull + (seed << 6) + (seed >> 2);
  }
  return seed;
}

std::uint32_t SourceFacts::intern_file(const std::string& path) {
  const auto [entry, added] = file_ids_.try_emplace(path, static_cast<std::uint32_t>(files.size()));
  if (added) files.push_back(path);
  return entry->second;
}

std::uint32_t SourceFacts::intern_function(const FunctionFact& fact) {
  const auto [entry, added] =
      function_ids_.try_emplace(fact.key, static_cast<std::uint32_t>(functions.size()));
  if (added) {
    functions.push_back(fact);
  } else {
    auto& known = functions[entry->second];
    known.noreturn |= fact.noreturn;
    known.assembly |= fact.assembly;
  }
  return entry->second;
}

void SourceFacts::merge(SourceFacts&& other) {
  std::vector<std::uint32_t> file_map;
  file_map.reserve(other.files.size());
  for (const auto& path : other.files) file_map.push_back(intern_file(path));
  const auto map_file = [&](std::uint32_t file) { return file == kNone ? kNone : file_map[file]; };
  std::vector<std::uint32_t> function_map;
  function_map.reserve(other.functions.size());
  for (auto fact : other.functions) {
    fact.key.file = map_file(fact.key.file);
    function_map.push_back(intern_function(fact));
  }
  const auto first_node = static_cast<std::uint32_t>(nodes.size());
  for (auto node : other.nodes) {
    node.function = function_map[node.function];
    if (node.parent != kNone) node.parent += first_node;
    node.call_file = map_file(node.call_file);
    nodes.push_back(node);
  }
  for (auto segment : other.scopes) {
    segment.node += first_node;
    scopes.push_back(segment);
  }
  for (auto segment : other.lines) {
    segment.file = map_file(segment.file);
    lines.push_back(segment);
  }
  for (auto range : other.code) {
    range.function = function_map[range.function];
    code.push_back(range);
  }
  damaged_units += other.damaged_units;
}

std::string join_source_path(std::string_view base, std::string_view directory, std::string_view name) {
  std::string joined;
  const auto append = [&](std::string_view part) {
    if (part.empty()) return;
    if (part.front() == '/') joined.clear();
    if (!joined.empty() && joined.back() != '/') joined += '/';
    joined += part;
  };
  append(base);
  append(directory);
  append(name);

  const bool absolute = joined.starts_with('/');
  std::vector<std::string_view> parts;
  const std::string_view text = joined;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('/', start), text.size());
    const auto part = text.substr(start, end - start);
    start = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !absolute) {
      parts.push_back(part);
    }
  }
  std::string path;
  for (const auto part : parts) {
    if (!path.empty() || absolute) path += '/';
    path += part;
  }
  return path;
}

}  // namespace hap::resolve
