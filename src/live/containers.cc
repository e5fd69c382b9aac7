#include "live/containers.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"

namespace hap::live {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t id_length = 64;
constexpr size_t largest_record = 16 << 20;

struct Record {
  std::string id, name, engine;
};

std::vector<std::string> children(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

std::string text_at(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

json read_json(const std::string& path) {
  const auto text = read_file(path, largest_record);
  return text ? json::parse(*text, nullptr, false) : json();
}

void docker(const std::string& root, std::vector<Record>& records) {
  const std::string folder = root + "var/lib/docker/containers/";
  for (const auto& id : children(folder)) {
    std::string name = text_at(read_json(folder + id + "/config.v2.json"), "Name");
    if (name.rfind('/', 0) == 0) name.erase(0, 1);
    records.push_back({id, name, "docker"});
  }
}

// podman and CRI-O share a storage library; CRI-O's records say so in their metadata.
void storage(const std::string& root, std::vector<Record>& records) {
  for (const char* place : {"var/lib/containers/storage", "run/containers/storage"}) {
    for (const char* driver : {"overlay-containers", "vfs-containers", "btrfs-containers"}) {
      const std::string folder = fmt::format("{}{}/{}", root, place, driver);
      const json rows = read_json(folder + "/containers.json");
      if (!rows.is_array()) continue;
      for (const json& row : rows) {
        const auto metadata = text_at(row, "metadata");
        const bool crio = metadata.find("\"pod-id\"") != std::string::npos ||
                          metadata.find("\"pod-name\"") != std::string::npos;
        const auto names = row.is_object() ? row.value("names", json::array()) : json::array();
        records.push_back(
            {text_at(row, "id"),
             names.is_array() && !names.empty() && names[0].is_string() ? names[0].get<std::string>() : "",
             crio ? "cri-o" : "podman"});
      }
    }
  }
}

void containerd(const std::string& root, std::vector<Record>& records) {
  const std::string folder = root + "run/containerd/io.containerd.runtime.v2.task/";
  for (const auto& space : children(folder)) {
    for (const auto& id : children(folder + space)) {
      // Docker runs its containers through containerd, in a namespace of its own.
      if (space == "moby") continue;
      const json bundle = read_json(folder + space + "/" + id + "/config.json");
      const json annotations = bundle.is_object() ? bundle.value("annotations", json()) : json();
      records.push_back({id, text_at(annotations, "io.kubernetes.cri.container-name"), "containerd"});
    }
  }
}

bool is_hex(const std::string& text) {
  return text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// The ids of cgroups' names that begin like `wanted`: what no record tells.
std::set<std::string> ids_in_cgroups(const std::vector<FoundCgroup>& groups, const std::string& wanted) {
  std::set<std::string> ids;
  for (const auto& group : groups) {
    const std::string name = fs::path(group.path).filename();
    for (size_t at = name.find(wanted); at != std::string::npos; at = name.find(wanted, at + 1)) {
      const bool begins = at == 0 || name[at - 1] == '-' || name[at - 1] == '_' || name[at - 1] == ':';
      size_t end = at;
      while (end < name.size() && is_hex(name.substr(end, 1))) ++end;
      if (begins && end - at == id_length) ids.insert(name.substr(at, end - at));
    }
  }
  return ids;
}

// conmon watches a container from a group of its own; /init and the like below it are the container's.
bool is_helper(const FoundCgroup& group) {
  return group.path.find("conmon") != std::string::npos;
}

bool is_below(const FoundCgroup& inner, const FoundCgroup& outer) {
  return inner.folder.rfind(outer.folder + "/", 0) == 0;
}

std::vector<FoundCgroup> places_of(const std::vector<CgroupMount>& mounts, const std::string& id) {
  auto groups = cgroups_with(mounts, id);
  groups.erase(std::remove_if(groups.begin(), groups.end(), is_helper), groups.end());
  // One hierarchy tells all; the unified one if it has the container.
  const bool v2 = std::any_of(groups.begin(), groups.end(), [](const auto& group) { return group.v2; });
  std::vector<FoundCgroup> kept;
  for (const auto& group : groups) {
    const bool covered = std::any_of(kept.begin(), kept.end(), [&](const auto& other) {
      return is_below(group, other) || group.path == other.path;
    });
    if (group.v2 == v2 && !covered) kept.push_back(group);
  }
  return kept;
}

Error several(const std::string& wanted, const std::set<std::string>& ids) {
  return Error(fmt::format("{} containers have an id or name that fits, {} and {}", ids.size(),
                           ids.begin()->substr(0, 12), std::next(ids.begin())->substr(0, 12)),
               ErrorKind::usage)
      .at(wanted)
      .hint("give more of the id");
}

}  // namespace

Result<Container> find_container(const std::string& root, const std::vector<CgroupMount>& mounts,
                                 const std::string& wanted) {
  if (wanted.empty()) return Error("an empty container id", ErrorKind::usage);
  std::vector<Record> records;
  docker(root, records);
  storage(root, records);
  containerd(root, records);

  std::map<std::string, Record> exact;
  std::map<std::string, Record> partial;
  for (const Record& record : records) {
    if (record.id.empty()) continue;
    if (record.id == wanted || record.name == wanted) exact[record.id] = record;
    if (record.id.rfind(wanted, 0) == 0) partial[record.id] = record;
  }
  auto& found = exact.empty() ? partial : exact;
  std::set<std::string> ids;
  for (const auto& [id, record] : found) ids.insert(id);
  if (ids.empty() && is_hex(wanted)) ids = ids_in_cgroups(cgroups_with(mounts, wanted), wanted);
  if (ids.empty()) {
    return Error("no container of this id or name", ErrorKind::usage)
        .at(wanted)
        .hint("`docker ps`, `podman ps` or `crictl ps` shows them; --cgroup and --pid need no engine");
  }
  if (ids.size() > 1) return several(wanted, ids);

  Container container;
  container.id = *ids.begin();
  if (const auto record = found.find(container.id); record != found.end()) {
    container.name = record->second.name;
    container.engine = record->second.engine;
  }
  container.cgroups = places_of(mounts, container.id);
  if (container.cgroups.empty()) {
    return Error("the container has no cgroup: it does not run", ErrorKind::usage)
        .at(wanted)
        .hint("start it, or measure its start with `hap record -- CMD`");
  }
  return container;
}

}  // namespace hap::live
