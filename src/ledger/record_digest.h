// A digest over everything a source said about a record, to tell an update from a repetition.
#pragma once

#include <string>

#include "hap/ledger.h"

namespace hap::ledger {

std::string record_digest(const Record& record);

}  // namespace hap::ledger
