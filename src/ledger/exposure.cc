#include "hap/exposure.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace hap::ledger {
namespace {

// The exercised code by name, for one lookup per file of a record.
struct CodeIndex {
  std::unordered_map<std::string, const ExercisedFile*> files;
  std::unordered_map<std::string, std::vector<const ExercisedFunction*>> functions;  // by name
  std::unordered_set<std::string> present;
  bool presence_known = false;

  explicit CodeIndex(const ExercisedCode& code) {
    for (const auto& file : code.files) files.emplace(file.file, &file);
    for (const auto& function : code.functions) functions[function.function].push_back(&function);
    if (code.present_files) {
      presence_known = true;
      present.insert(code.present_files->begin(), code.present_files->end());
    }
  }
  bool has(const std::string& file) const { return present.count(file) != 0 || files.count(file) != 0; }
};

bool of_linux(const Record& record) {
  return std::find(record.products.begin(), record.products.end(), "linux") != record.products.end();
}

// Headers are part of nearly every fix and executed by nearly everything; a fix is judged by its other files
// if it has any.
std::vector<const std::string*> judged_files(const Record& record) {
  std::vector<const std::string*> code;
  std::vector<const std::string*> headers;
  for (const auto& file : record.files) (file.ends_with(".h") ? headers : code).push_back(&file);
  return code.empty() ? headers : code;
}

void judge_by_function(const Record& record, const CodeIndex& index, ExposedRecord& result) {
  result.by_function = true;
  uint64_t executed = 0;
  uint64_t total = 0;
  bool present = false;
  for (const auto& wanted : record.functions) {
    present = present || index.has(wanted.file);
    const auto found = index.functions.find(wanted.function);
    if (found == index.functions.end()) continue;
    for (const auto* function : found->second) {
      if (!wanted.file.empty() && function->file != wanted.file) continue;
      present = true;
      if (function->executed_lines == 0) continue;
      result.where.push_back(function->file + ":" + function->function);
      executed += function->executed_lines;
      total += function->total_lines;
    }
  }
  if (!result.where.empty()) {
    result.reach = Reach::exercised;
    if (total > 0) result.weight = std::min(1.0, static_cast<double>(executed) / static_cast<double>(total));
  } else if (present) {
    result.reach = Reach::present;
  } else {
    result.reach = index.presence_known ? Reach::absent : Reach::unknown;
  }
}

void judge_by_file(const Record& record, const CodeIndex& index, ExposedRecord& result) {
  uint64_t executed = 0;
  uint64_t total = 0;
  bool lines_known = true;
  bool present = false;
  for (const auto* file : judged_files(record)) {
    const auto found = index.files.find(*file);
    present = present || index.has(*file);
    if (found == index.files.end()) continue;
    if (!found->second->total_lines) lines_known = false;
    total += found->second->total_lines.value_or(0);
    executed += found->second->executed_lines;
    if (found->second->executed_lines > 0) result.where.push_back(*file);
  }
  if (!result.where.empty()) {
    result.reach = Reach::exercised;
    if (lines_known && total > 0)
      result.weight = std::min(1.0, static_cast<double>(executed) / static_cast<double>(total));
  } else if (present) {
    result.reach = Reach::present;
  } else {
    result.reach = index.presence_known ? Reach::absent : Reach::unknown;
  }
}

bool listed(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// The reason why the sandbox withholds one thing, or empty.
std::string withheld(const Requirement& need, const SandboxFacts& facts) {
  switch (need.kind) {
    case Requirement::Kind::capability: {
      if (!facts.capabilities) return {};
      const bool has = listed(*facts.capabilities, need.name);
      if (has && (need.namespaced || !facts.own_user_namespace.value_or(false))) return {};
      if (has && need.namespaced) return {};
      if (need.namespaced) {
        if (!facts.can_create_user_namespace || *facts.can_create_user_namespace) return {};
        return "needs " + need.name + ", which the sandbox does not have and no user namespace can give";
      }
      if (has)
        return "needs " + need.name +
               " over the host, and the sandbox has it over its own user namespace only";
      return "needs " + need.name + ", which the sandbox does not have";
    }
    case Requirement::Kind::user_namespace:
      if (!facts.can_create_user_namespace || *facts.can_create_user_namespace) return {};
      return "needs a user namespace, which the sandbox cannot create";
    case Requirement::Kind::device:
      break;
  }
  if (!facts.devices) return {};
  const bool has =
      std::any_of(facts.devices->begin(), facts.devices->end(), [&need](const std::string& device) {
        return device == need.name || device.starts_with(need.name + "/");
      });
  return has ? std::string() : "needs " + need.name + ", which the sandbox does not get";
}

// A tenant with a kernel of its own drives the devices of its VMM through that, so that what the VMM or
// Sentry may open is what counts; its own capabilities say nothing about the host's.
std::string ruled_out_by(const Record& record, const SandboxFacts& facts) {
  for (const auto& need : record.requirements) {
    auto reason = withheld(need, facts);
    if (!reason.empty()) return reason + " (" + need.why + ")";
  }
  return {};
}

void count(ExposureCount& into, const ExposedRecord& item) {
  switch (item.reach) {
    case Reach::present:
      ++into.present;
      return;
    case Reach::absent:
      ++into.absent;
      return;
    case Reach::unknown:
      ++into.unknown;
      return;
    case Reach::exercised:
      break;
  }
  ++into.exercised;
  if (item.by_function) ++into.by_function;
  into.weighted += item.weight.value_or(0);
  switch (item.openness) {
    case Openness::open:
      ++into.open;
      break;
    case Openness::fixed_before:
      ++into.fixed_before;
      break;
    case Openness::never_affected:
      ++into.never_affected;
      break;
    case Openness::unknown:
      ++into.openness_unknown;
      break;
  }
  if (!item.ruled_out.empty()) {
    ++into.ruled_out;
  } else if (item.openness == Openness::open || item.openness == Openness::unknown) {
    ++into.meets;
  }
}

ExposedRecord judge(const Record& record, const CodeIndex& index) {
  ExposedRecord result;
  result.record = &record;
  if (!record.functions.empty()) {
    judge_by_function(record, index, result);
  } else if (!record.files.empty()) {
    judge_by_file(record, index, result);
  }
  return result;
}

}  // namespace

std::string normalise_source_path(const std::string& path) {
  std::string plain = path;
  while (plain.starts_with("./")) plain.erase(0, 2);
  if (plain.starts_with('/')) {
    // ".../linux-6.12.48/fs/aio.c": what follows the last folder that names a kernel tree.
    size_t tree = plain.rfind("/linux-");
    if (tree == std::string::npos) tree = plain.rfind("/linux/");
    const size_t end = tree == std::string::npos ? tree : plain.find('/', tree + 1);
    if (end != std::string::npos) plain = plain.substr(end + 1);
  }
  // "arch/x86/../../virt/kvm/kvm_main.c"
  std::vector<std::string> parts;
  size_t start = 0;
  while (start <= plain.size()) {
    const size_t end = std::min(plain.find('/', start), plain.size());
    const std::string part = plain.substr(start, end - start);
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != "." && !(part.empty() && start != 0)) {
      parts.push_back(part);
    }
    start = end + 1;
  }
  std::string joined;
  for (size_t i = 0; i < parts.size(); ++i) joined += (i == 0 ? "" : "/") + parts[i];
  return joined;
}

std::string to_string(Reach reach) {
  switch (reach) {
    case Reach::exercised:
      return "exercised";
    case Reach::present:
      return "present, not exercised";
    case Reach::absent:
      return "not in this kernel build";
    case Reach::unknown:
      break;
  }
  return "unknown";
}

Exposure expose(const std::vector<Record>& records, const ExercisedCode& code,
                const ExposureOptions& options) {
  Exposure exposure;
  exposure.label = code.label;
  exposure.sandbox = code.sandbox;
  exposure.workload = code.workload;
  exposure.kernel_release = code.kernel_release;
  exposure.kernel_version = upstream_version(code.kernel_release, code.kernel_version);
  const CodeIndex index(code);
  for (const auto& record : records) {
    if (!of_linux(record)) continue;
    const auto year = year_of(record, options.basis);
    if (options.since && year && *year < *options.since) continue;
    ExposedRecord item = judge(record, index);
    item.dated = year.has_value();
    item.openness = openness_of(record, exposure.kernel_version);
    if (item.reach == Reach::exercised) item.ruled_out = ruled_out_by(record, code.facts);
    count(options.since && !year ? exposure.undated : exposure.dated, item);
    exposure.records.push_back(std::move(item));
  }
  std::stable_sort(exposure.records.begin(), exposure.records.end(),
                   [](const ExposedRecord& a, const ExposedRecord& b) {
                     if (a.reach != b.reach) return a.reach < b.reach;
                     if (a.ruled_out.empty() != b.ruled_out.empty()) return a.ruled_out.empty();
                     const auto rank = [](Openness openness) {
                       return openness == Openness::open ? 0 : openness == Openness::unknown ? 1 : 2;
                     };
                     if (rank(a.openness) != rank(b.openness)) return rank(a.openness) < rank(b.openness);
                     return a.weight.value_or(0) > b.weight.value_or(0);
                   });
  if (records.empty())
    exposure.warnings.push_back("the ledger is empty: import records first (hap ledger import FILE...)");
  if (!exposure.kernel_version) {
    exposure.warnings.push_back("the upstream version of kernel " + code.kernel_release +
                                " is unknown: open and fixed are unknown");
  }
  if (exposure.dated.openness_unknown + exposure.undated.openness_unknown > 0 && exposure.kernel_version) {
    exposure.warnings.push_back(
        std::to_string(exposure.dated.openness_unknown + exposure.undated.openness_unknown) +
        " exercised records come from sources without affected versions: open or fixed is unknown; ranges "
        "are in "
        "the kernel CNA's own JSON and in CVE 5.x records");
  }
  if (exposure.kernel_version) {
    exposure.warnings.push_back(
        "ranges are of upstream releases: a distribution may have taken a fix earlier");
  }
  if (!index.presence_known)
    exposure.warnings.push_back(
        "the files of this kernel build are unknown: absent cannot be told from not exercised");
  if (!code.facts.capabilities)
    exposure.warnings.push_back("the sandbox's capabilities are unknown: nothing is ruled out by them");
  if (!code.facts.devices)
    exposure.warnings.push_back("the sandbox's devices are unknown: nothing is ruled out by them");
  return exposure;
}

std::optional<KnownCves> known_cves(const std::vector<Record>& records, const ExercisedCode& code) {
  if (std::none_of(records.begin(), records.end(), of_linux)) return std::nullopt;
  const CodeIndex index(code);
  KnownCves known;
  for (const auto& record : records) {
    if (!of_linux(record)) continue;
    const ExposedRecord item = judge(record, index);
    if (item.reach == Reach::unknown) ++known.high;
    if (item.reach != Reach::exercised) continue;
    ++known.value;
    ++known.high;
    if (item.by_function || item.weight.value_or(0) >= 1) ++known.low;
    known.weighted += item.weight.value_or(0);
  }
  return known;
}

}  // namespace hap::ledger
