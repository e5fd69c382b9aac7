#include "workload/description.h"

#include <algorithm>
#include <set>

namespace hap::workload {
namespace {

using nlohmann::json;

Error wrong(const std::string& what) {
  return Error("the workload's description: " + what, ErrorKind::usage);
}

Status only_members(const json& object, const std::string& where, const std::set<std::string>& known) {
  if (!object.is_object()) return wrong(where + " is not a table");
  for (const auto& [name, value] : object.items()) {
    if (known.count(name) == 0) return wrong((where.empty() ? "" : where + ".") + name + " is not known");
  }
  return {};
}

Result<std::string> text(const json& object, const char* name, const std::string& otherwise = "") {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  if (!found->is_string()) return wrong(std::string(name) + " is not a string");
  return found->get<std::string>();
}

Result<std::vector<std::string>> words(const json& object, const char* name) {
  std::vector<std::string> list;
  const auto found = object.find(name);
  if (found == object.end()) return list;
  if (!found->is_array()) return wrong(std::string(name) + " is not a list of strings");
  for (const auto& word : *found) {
    if (!word.is_string()) return wrong(std::string(name) + " is not a list of strings");
    list.push_back(word.get<std::string>());
  }
  return list;
}

Result<uint64_t> number(const json& object, const char* name, uint64_t otherwise, uint64_t least,
                        uint64_t most) {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  if (!found->is_number_integer() || found->get<int64_t>() < static_cast<int64_t>(least) ||
      found->get<int64_t>() > static_cast<int64_t>(most)) {
    return wrong(std::string(name) + " is not a number from " + std::to_string(least) + " to " +
                 std::to_string(most));
  }
  return found->get<uint64_t>();
}

Status parse_files(const json& object, sandbox::Service& service) {
  const auto found = object.find("file");
  if (found == object.end()) return {};
  if (!found->is_array()) return wrong("file is not a list of tables");
  for (const auto& row : *found) {
    HAP_CHECK(only_members(row, "file", {"path", "content", "mode"}));
    HAP_TRY(path, text(row, "path"));
    HAP_TRY(content, text(row, "content"));
    HAP_TRY(mode, number(row, "mode", 0644, 0, 07777));
    if (path.rfind('/', 0) != 0 || path.find("/../") != std::string::npos) {
      return wrong("file.path must be absolute and without ..");
    }
    service.files.push_back({path, content, static_cast<unsigned>(mode)});
  }
  return {};
}

Status parse_env(const json& object, sandbox::Service& service) {
  const auto found = object.find("env");
  if (found == object.end()) return {};
  if (!found->is_object()) return wrong("env is not a table");
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string()) return wrong("env." + name + " is not a string");
    service.env[name] = value.get<std::string>();
  }
  return {};
}

Status parse_load(const json& object, Description& description) {
  const auto found = object.find("load");
  if (found == object.end()) return wrong("the table load is missing");
  HAP_CHECK(only_members(*found, "load", {"http", "command", "expect"}));
  HAP_TRY(path, text(*found, "http"));
  HAP_TRY(command, words(*found, "command"));
  HAP_TRY(expect, text(*found, "expect"));
  if (path.empty() == command.empty()) return wrong("load needs either http or command");
  if (!path.empty() && path[0] != '/') return wrong("load.http must start with /");
  description.http_path = path;
  description.load_command = command;
  description.expect = expect;
  return {};
}

}  // namespace

Result<Description> parse_description(const json& object) {
  HAP_CHECK(only_members(object, "",
                         {"name", "command", "port", "working_dir", "env", "file", "load", "user", "task",
                          "memory_mib", "root_archive", "slowest_timer_s"}));
  Description description;
  sandbox::Service& service = description.service;
  HAP_TRY(name, text(object, "name"));
  HAP_TRY(command, words(object, "command"));
  HAP_TRY(port, number(object, "port", 0, 1, 65535));
  HAP_TRY(working_dir, text(object, "working_dir", "/"));
  HAP_TRY(user, text(object, "user", "root"));
  HAP_TRY(task, text(object, "task"));
  HAP_TRY(memory, number(object, "memory_mib", service.memory_mib, 64, 1024));
  HAP_TRY(archive, text(object, "root_archive"));
  HAP_TRY(timer, number(object, "slowest_timer_s", 0, 0, 3600));
  if (name.empty()) return wrong("name is missing");
  const bool plain_name = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (!plain_name) return wrong("name may have letters, digits, - _ and . only");
  if (command.empty()) return wrong("command is missing");
  if (port == 0) return wrong("port is missing");
  if (user != "root" && user != "nobody") return wrong("user is root or nobody");
  service.name = name;
  service.argv = command;
  service.port = static_cast<uint16_t>(port);
  service.working_dir = working_dir;
  service.runs_as_user = user == "nobody";
  service.task = task.substr(0, 15);
  service.memory_mib = static_cast<unsigned>(memory);
  service.slowest_timer_s = static_cast<unsigned>(timer);
  description.root_archive = archive;
  HAP_CHECK(parse_files(object, service));
  HAP_CHECK(parse_env(object, service));
  HAP_CHECK(parse_load(object, description));
  return description;
}

}  // namespace hap::workload
