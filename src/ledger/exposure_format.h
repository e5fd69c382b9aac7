// Renderings of exposures and retrodictions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hap/exposure.h"

namespace hap::ledger {

struct ExposureView {
  size_t records = 20;  // listed per recording in text; JSON lists all exercised ones
  std::optional<int> since;
};

// What one recording meets: counts, the exercised records, warnings. The `exposure` of
// docs/report.schema.json.
nlohmann::ordered_json exposure_object(const Exposure& exposure);

std::string exposure_text(const std::vector<Exposure>& exposures, const ExposureView& view);
std::string exposure_json(const std::vector<Exposure>& exposures, const ExposureView& view);
std::string exposure_csv(const std::vector<Exposure>& exposures);
std::string retrodiction_text(const Retrodiction& retrodiction);
std::string retrodiction_json(const Retrodiction& retrodiction);

}  // namespace hap::ledger
