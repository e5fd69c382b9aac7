// The part of redis' protocol (RESP2) that the load needs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hap/result.h"
#include "workload/connection.h"

namespace hap::workload {

// A command as an array of bulk strings.
std::string encode_command(const std::vector<std::string>& words);

struct RespReply {
  char type = 0;  // + status, - error, : integer, $ bulk string
  std::string text;
  bool null = false;  // the null bulk string
};

// Errors: of kind `workload` for anything that is not one of these four types or is damaged.
Result<RespReply> read_reply(Connection& connection);

}  // namespace hap::workload
