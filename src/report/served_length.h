// How long phase serve was and why, and which functions came late in it.
#pragma once

#include <string>
#include <vector>

#include "hap/report.h"

namespace hap::report {

LengthReport length_of(const Profile& profile);

// What a reader should know of it, one sentence each.
std::vector<std::string> sentences(const LengthReport& length);

}  // namespace hap::report
