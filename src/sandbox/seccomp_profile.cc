#include "sandbox/seccomp_profile.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace hap::sandbox {
namespace {

using nlohmann::json;

Error damaged(const std::string& what) {
  return Error("the seccomp profile cannot be used: " + what, ErrorKind::corrupt);
}

std::string seccomp_architecture(const std::string& go_name) {
  static const std::map<std::string, std::string> names{
      {"amd64", "SCMP_ARCH_X86_64"}, {"arm64", "SCMP_ARCH_AARCH64"}, {"s390x", "SCMP_ARCH_S390X"}};
  const auto found = names.find(go_name);
  return found == names.end() ? "" : found->second;
}

bool has_any_capability(const json& list, const SeccompTarget& target) {
  return std::any_of(list.begin(), list.end(),
                     [&](const json& cap) { return target.capabilities.count(cap.get<std::string>()) != 0; });
}

bool names_architecture(const json& list, const SeccompTarget& target) {
  return std::any_of(list.begin(), list.end(),
                     [&](const json& arch) { return arch.get<std::string>() == target.architecture; });
}

bool kernel_at_least(const json& version, const SeccompTarget& target) {
  int major = 0;
  int minor = 0;
  if (std::sscanf(version.get<std::string>().c_str(), "%d.%d", &major, &minor) != 2) return false;
  return target.kernel_major > major || (target.kernel_major == major && target.kernel_minor >= minor);
}

const json* filled(const json& rule, const char* filter, const char* member) {
  const auto outer = rule.find(filter);
  if (outer == rule.end() || !outer->is_object()) return nullptr;
  const auto inner = outer->find(member);
  return inner == outer->end() || inner->empty() ? nullptr : &*inner;
}

// All of `includes` must hold and none of `excludes`. Of several capabilities every included one is needed.
bool applies(const json& rule, const SeccompTarget& target) {
  if (const auto* list = filled(rule, "excludes", "arches"); list && names_architecture(*list, target))
    return false;
  if (const auto* list = filled(rule, "excludes", "caps"); list && has_any_capability(*list, target))
    return false;
  if (const auto* least = filled(rule, "excludes", "minKernel"); least && kernel_at_least(*least, target))
    return false;
  if (const auto* list = filled(rule, "includes", "arches"); list && !names_architecture(*list, target))
    return false;
  if (const auto* least = filled(rule, "includes", "minKernel"); least && !kernel_at_least(*least, target))
    return false;
  if (const auto* list = filled(rule, "includes", "caps")) {
    return std::all_of(list->begin(), list->end(), [&](const json& cap) {
      return target.capabilities.count(cap.get<std::string>()) != 0;
    });
  }
  return true;
}

json resolve_rule(const json& rule) {
  json out;
  out["names"] = rule.contains("names") ? rule.at("names") : json::array({rule.at("name")});
  out["action"] = rule.at("action");
  if (const auto code = rule.find("errnoRet"); code != rule.end() && code->is_number())
    out["errnoRet"] = *code;
  if (const auto args = rule.find("args"); args != rule.end() && args->is_array() && !args->empty()) {
    out["args"] = *args;
  }
  return out;
}

json resolve_architectures(const json& profile, const SeccompTarget& target) {
  json out = json::array();
  const std::string own = seccomp_architecture(target.architecture);
  if (const auto map = profile.find("archMap"); map != profile.end() && map->is_array()) {
    for (const auto& row : *map) {
      if (row.at("architecture") != own) continue;
      out.push_back(own);
      for (const auto& sub : row.value("subArchitectures", json::array())) out.push_back(sub);
    }
  }
  return out;
}

}  // namespace

Result<json> resolve_seccomp(std::string_view text, const SeccompTarget& target) {
  const json profile = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!profile.is_object()) return damaged("it is not a JSON object");
  if (!profile.contains("defaultAction")) return damaged("it has no defaultAction");
  try {
    json out;
    out["defaultAction"] = profile.at("defaultAction").get<std::string>();
    if (const auto code = profile.find("defaultErrnoRet"); code != profile.end())
      out["defaultErrnoRet"] = *code;
    out["architectures"] = profile.contains("architectures") ? profile.at("architectures")
                                                             : resolve_architectures(profile, target);
    if (const auto flags = profile.find("flags"); flags != profile.end()) out["flags"] = *flags;
    out["syscalls"] = json::array();
    for (const auto& rule : profile.value("syscalls", json::array())) {
      if (applies(rule, target)) out["syscalls"].push_back(resolve_rule(rule));
    }
    return out;
  } catch (const json::exception& e) {
    return damaged(e.what());
  }
}

}  // namespace hap::sandbox
