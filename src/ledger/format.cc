#include "ledger/format.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "ledger/date.h"

namespace hap::ledger {

const std::vector<std::unique_ptr<RecordFormat>>& formats() {
  static const auto all = [] {
    std::vector<std::unique_ptr<RecordFormat>> list;
    list.push_back(make_cve5_format());
    list.push_back(make_nvd_format());
    list.push_back(make_xsa_format());
    list.push_back(make_osv_format());
    list.push_back(make_tracker_format());
    list.push_back(make_kernel_compact_format());
    list.push_back(make_requirements_format());
    return list;
  }();
  return all;
}

Fields::Fields(const Json& object) : object_(object) {
  if (!object.is_object()) trouble_ = "not a JSON object";
}

void Fields::fail(const std::string& why) {
  if (trouble_.empty()) trouble_ = why;
}

const Json* Fields::member(const char* key) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string Fields::text(const char* key) {
  const Json* value = member(key);
  if (value == nullptr) return {};
  if (!value->is_string()) {
    fail(std::string("\"") + key + "\" is not a string");
    return {};
  }
  return value->get_ref<const std::string&>();
}

std::optional<std::string> Fields::date(const char* key) {
  const std::string stamp = text(key);
  if (stamp.empty()) return std::nullopt;
  auto day = parse_date(stamp);
  if (!day) fail(std::string("\"") + key + "\" is not a date: " + stamp.substr(0, 40));
  return day;
}

std::vector<std::string> Fields::texts(const char* key) {
  std::vector<std::string> list;
  for (const auto& item : array(key)) {
    if (!item.is_string()) {
      fail(std::string("\"") + key + "\" holds something other than strings");
      return {};
    }
    list.push_back(item.get_ref<const std::string&>());
  }
  return list;
}

const Json& Fields::array(const char* key) {
  static const Json none = Json::array();
  const Json* value = member(key);
  if (value == nullptr) return none;
  if (!value->is_array()) {
    fail(std::string("\"") + key + "\" is not an array");
    return none;
  }
  return *value;
}

const Json& Fields::object(const char* key) {
  static const Json none = Json::object();
  const Json* value = member(key);
  if (value == nullptr) return none;
  if (!value->is_object()) {
    fail(std::string("\"") + key + "\" is not an object");
    return none;
  }
  return *value;
}

bool valid_id(const std::string& id) {
  if (id.size() < 5 || id.size() > 64 || id.find('-') == std::string::npos) return false;
  if (std::isalpha(static_cast<unsigned char>(id[0])) == 0) return false;
  return std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == ':';
  });
}

std::string product_name(std::string_view name) {
  const size_t slash = name.rfind('/');
  std::string plain(slash == std::string_view::npos ? name : name.substr(slash + 1));
  std::transform(plain.begin(), plain.end(), plain.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  struct Alias {
    std::string_view from;
    std::string_view to;
  };
  constexpr std::array<Alias, 14> aliases{{{"linux_kernel", "linux"},
                                           {"linux kernel", "linux"},
                                           {"kernel", "linux"},
                                           {"qemu-kvm", "qemu"},
                                           {"kvm", "qemu"},
                                           {"docker.io", "docker"},
                                           {"docker_engine", "docker"},
                                           {"docker engine", "docker"},
                                           {"moby", "docker"},
                                           {"xen_hypervisor", "xen"},
                                           {"xen-unstable", "xen"},
                                           {"runc-app", "runc"},
                                           {"libcontainer", "runc"},
                                           {"lxd", "lxd"}}};
  for (const auto& alias : aliases) {
    if (plain == alias.from) return std::string(alias.to);
  }
  return plain;
}

namespace {

bool identifier_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Kernel paths start in one of the tree's top folders; anything else with that look is another project's.
bool kernel_path(std::string_view path) {
  constexpr std::array<std::string_view, 19> tops{"arch/",    "block/", "crypto/",   "drivers/",  "fs/",
                                                  "include/", "init/",  "io_uring/", "ipc/",      "kernel/",
                                                  "lib/",     "mm/",    "net/",      "security/", "sound/",
                                                  "tools/",   "usr/",   "virt/",     "certs/"};
  return std::any_of(tops.begin(), tops.end(),
                     [path](std::string_view top) { return path.starts_with(top); });
}

}  // namespace

void add_named_places(Record& record) {
  const bool linux_only = record.products.size() == 1 && record.products.front() == "linux";
  std::vector<std::string_view> words;
  const std::string_view text = record.description;
  size_t start = 0;
  while (start < text.size()) {
    const size_t begin = text.find_first_not_of(" \t\n\r,;()", start);
    if (begin == std::string_view::npos) break;
    size_t end = std::min(text.find_first_of(" \t\n\r,;()", begin), text.size());
    start = end;
    while (end > begin && (text[end - 1] == '.' || text[end - 1] == ':')) --end;
    words.push_back(text.substr(begin, end - begin));
  }
  for (size_t i = 0; i < words.size(); ++i) {
    const auto word = words[i];
    const bool source =
        (word.ends_with(".c") || word.ends_with(".h") || word.ends_with(".S")) && word.size() < 200;
    if (!source || word.find('/') == std::string_view::npos || word.front() == '/' ||
        word.find("..") != std::string_view::npos)
      continue;
    if (linux_only && !kernel_path(word)) continue;
    const std::string file(word);
    if (std::find(record.files.begin(), record.files.end(), file) == record.files.end())
      record.files.push_back(file);
    // "NAME function in FILE"
    if (i < 3 || words[i - 1] != "in" || words[i - 2] != "function") continue;
    const auto name = words[i - 3];
    if (!name.empty() && name.size() < 128 && std::all_of(name.begin(), name.end(), identifier_character)) {
      record.functions.push_back({file, std::string(name)});
    }
  }
}

}  // namespace hap::ledger
