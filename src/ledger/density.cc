#include <algorithm>
#include <set>

#include "hap/ledger.h"

namespace hap::ledger {

std::string subsystem_of(const std::string& file) {
  const size_t first = file.find('/');
  if (first == std::string::npos) return file;
  const size_t second = file.find('/', first + 1);
  return file.substr(0, second == std::string::npos ? first : second);
}

std::map<std::string, SubsystemDensity> subsystem_bug_density(const std::vector<Record>& records,
                                                              const std::map<std::string, uint64_t>& lines,
                                                              std::optional<YearSpan> span, DateBasis basis) {
  std::map<std::string, SubsystemDensity> densities;
  for (const auto& [subsystem, count] : lines) densities[subsystem];
  for (const auto& record : records) {
    if (std::find(record.products.begin(), record.products.end(), "linux") == record.products.end()) continue;
    if (span) {
      const auto year = year_of(record, basis);
      if (!year || *year < span->from || *year > span->to) continue;
    }
    std::set<std::string> touched;
    for (const auto& file : record.files) {
      if (!file.ends_with(".h")) touched.insert(subsystem_of(file));
    }
    if (touched.empty()) {
      for (const auto& file : record.files) touched.insert(subsystem_of(file));
    }
    for (const auto& subsystem : touched)
      densities[subsystem].records += 1.0 / static_cast<double>(touched.size());
  }
  for (auto& [subsystem, density] : densities) {
    const auto known = lines.find(subsystem);
    if (known != lines.end() && known->second > 0) {
      density.per_kloc = density.records * 1000.0 / static_cast<double>(known->second);
    }
  }
  return densities;
}

}  // namespace hap::ledger
