// From a profile to what the estimators work on.
#include <algorithm>

#include "hap/metric.h"

namespace hap {
namespace {

using Visit = void (Profile::*)(const Selection&, const Profile::VisitWindows&) const;

Incidence incidence(const Profile& profile, const Selection& selection, Visit visit) {
  Incidence result(Profile::window_count(selection));
  (profile.*visit)(selection, [&](uint32_t, std::span<const uint32_t> windows) {
    (void)result.add(windows);  // in range: numbered within the selection
  });
  return result;
}

std::optional<Interval> unseen_items(const Incidence& incidence) {
  const auto counts = count_incidence(incidence);
  const auto estimate = estimate_unseen(counts, rare_dispersion(incidence));
  if (!estimate) return std::nullopt;
  return Interval{estimate->value, estimate->low, estimate->high};
}

}  // namespace

Incidence function_incidence(const Profile& profile, const Selection& selection) {
  return incidence(profile, selection, &Profile::for_each_function_windows);
}

Incidence line_incidence(const Profile& profile, const Selection& selection) {
  return incidence(profile, selection, &Profile::for_each_line_windows);
}

Incidence block_incidence(const Profile& profile, const Selection& selection) {
  return incidence(profile, selection, &Profile::for_each_block_windows);
}

UnseenCode estimate_unseen_code(const Profile& profile, const Selection& selection) {
  UnseenCode unseen;
  unseen.functions = unseen_items(function_incidence(profile, selection));
  if (profile.exact()) {
    unseen.lines = unseen_items(line_incidence(profile, selection));
    unseen.blocks = unseen_items(block_incidence(profile, selection));
  }
  double lost = static_cast<double>(profile.header().unobservable.size());
  for (const auto& loss : profile.header().losses) {
    if (loss.kind == "events_lost") lost += static_cast<double>(loss.count);
  }
  for (auto* each : {&unseen.functions, &unseen.lines, &unseen.blocks}) {
    if (*each) (*each)->high += lost;
  }
  return unseen;
}

}  // namespace hap
