#include "cli/exercised_code.h"

#include <toml++/toml.h>

#include <map>
#include <sstream>

#include "base/file.h"

namespace hap::cli {

Result<ledger::SandboxFacts> sandbox_facts(const Recording& recording, const std::string& data) {
  ledger::SandboxFacts facts;
  const std::string path = data + "/ledger/sandboxes.toml";
  HAP_TRY(text, read_file(path, size_t{1} << 20));
  const auto texts =
      [](const toml::node_view<const toml::node>& node) -> std::optional<std::vector<std::string>> {
    const toml::array* array = node.as_array();
    if (array == nullptr) return std::nullopt;
    std::vector<std::string> list;
    for (const auto& item : *array) {
      if (const auto value = item.value<std::string>()) list.push_back(*value);
    }
    return list;
  };
  try {
    std::istringstream stream(text);
    const toml::table root = toml::parse(stream, path);
    const auto sandbox = root[recording.meta("sandbox")];
    facts.capabilities = texts(sandbox["capabilities"]);
    facts.devices = texts(sandbox["devices"]);
    facts.namespaces = texts(sandbox["namespaces"]);
    facts.own_user_namespace = sandbox["own_user_namespace"].value<bool>();
    facts.can_create_user_namespace = sandbox["can_create_user_namespace"].value<bool>();
    facts.seccomp = sandbox["seccomp"].value<bool>();
    facts.guest_kernel = sandbox["guest_kernel"].value_or(false);
  } catch (const toml::parse_error& error) {
    return Error(
               "line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()),
               ErrorKind::corrupt)
        .at(path);
  }
  const auto& conditions = recording.header().conditions;
  const auto list = [&conditions](const char* key, std::optional<std::vector<std::string>>& into) {
    const auto found = conditions.find(key);
    if (found == conditions.end()) return;
    std::vector<std::string> items;
    std::istringstream stream(found->second);
    for (std::string item; std::getline(stream, item, ',');) {
      if (!item.empty()) items.push_back(item);
    }
    into = std::move(items);
  };
  const auto flag = [&conditions](const char* key, std::optional<bool>& into) {
    const auto found = conditions.find(key);
    if (found != conditions.end() && (found->second == "yes" || found->second == "no"))
      into = found->second == "yes";
  };
  list("sandbox.capabilities", facts.capabilities);
  list("sandbox.devices", facts.devices);
  flag("sandbox.user_namespace", facts.own_user_namespace);
  flag("sandbox.can_create_user_namespace", facts.can_create_user_namespace);
  return facts;
}

ledger::ExercisedCode exercised_kernel_code(const std::string& path, const store::Cell& cell,
                                            const ExercisedOptions& options) {
  const Profile& profile = cell.profile;
  ledger::ExercisedCode code;
  code.label = path;
  code.sandbox = profile.meta("sandbox");
  code.workload = profile.meta("workload");
  code.kernel_release = profile.meta("kernel_release");
  code.kernel_version = profile.meta("kernel_version");
  code.build_id = profile.meta("kernel_build_id");
  const auto counts = [&](const Account& account) {
    return counts_as_hap(account, options.hap) && account.layer == Layer::host_kernel;
  };
  const Selection selection = profile.select(counts, options.phase);
  // Lines with code of every file of the kernel and its modules: what is there to be executed. A header
  // compiled into several images counts with its largest share.
  std::map<std::string, uint64_t> totals;
  for (size_t image = 0; image < cell.resolver.image_count(); ++image) {
    const Index* index = cell.resolver.index(image);
    if (index == nullptr || image >= profile.images().size() || profile.images()[image].space != Space::host)
      continue;
    if (index->kind() != ImageKind::kernel && index->kind() != ImageKind::module) continue;
    for (FileId file = 0; file < index->file_count(); ++file) {
      const auto lines = index->code_lines(file).size();
      if (lines == 0) continue;
      auto& total = totals[ledger::normalise_source_path(std::string(index->file(file)))];
      total = std::max<uint64_t>(total, lines);
    }
  }
  std::map<std::string, uint64_t> executed;
  for (const uint32_t number : profile.lines_hit(selection)) {
    const auto& line = profile.lines()[number];
    ++executed[ledger::normalise_source_path(profile.files()[line.file].path)];
  }
  if (!totals.empty()) {
    code.present_files.emplace();
    for (const auto& [file, lines] : totals) {
      code.present_files->push_back(file);
      const auto found = executed.find(file);
      code.files.push_back({file, found == executed.end() ? 0 : found->second, lines});
    }
  }
  for (const auto& [file, lines] : executed) {
    if (totals.count(file) == 0) code.files.push_back({file, lines, std::nullopt});
  }
  const auto by_function = profile.lines_by_function(selection);
  for (size_t i = 0; i < profile.functions().size(); ++i) {
    const auto& function = profile.functions()[i];
    if (by_function[i] == 0 || function.label || function.file.empty()) continue;
    code.functions.push_back({ledger::normalise_source_path(function.file), function.name, by_function[i],
                              function.lines.value_or(0)});
  }
  return code;
}

Result<ledger::ExercisedCode> exercised_code(const std::string& path, const store::Cell& cell,
                                             const std::string& data, const ExercisedOptions& options) {
  ledger::ExercisedCode code = exercised_kernel_code(path, cell, options);
  HAP_TRY(facts, sandbox_facts(cell.recording, data));
  code.facts = std::move(facts);
  return code;
}

}  // namespace hap::cli
