// Man pages, made from the command definitions.
#pragma once

#include <string>

#include "cli/command_model.h"

namespace hap::cli {

// The page of the program (`path` "hap") or of one command ("measure"), in the man macros. `version` stands
// in its foot.
std::string man_page(const CommandModel& program, const CommandModel& command, const std::string& version);

// The page hapmeter-TOPIC(7) from a topic's plain text, whose first line is its title.
std::string topic_page(const std::string& topic, const std::string& text, const std::string& version);

}  // namespace hap::cli
