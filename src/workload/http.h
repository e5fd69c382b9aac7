// A small HTTP/1.1 client: one GET, one connection, as curl does it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "hap/result.h"
#include "workload/workload.h"

namespace hap::workload {

struct HttpReply {
  int status = 0;
  std::string body;
};

// Parses a whole reply of a closed connection; with Content-Length the body must have that length, with
// chunked transfer coding it is put together.
Result<HttpReply> parse_http_reply(const std::string& bytes);

Result<HttpReply> http_get(const Endpoint& endpoint, const std::string& path,
                           std::chrono::milliseconds timeout);

// A client whose request is GET `path`, verified by status 200 and a body that contains `expected` (or, when
// `exact`, equals it).
std::unique_ptr<Client> make_http_client(const Endpoint& endpoint, std::chrono::milliseconds timeout,
                                         std::string path, std::string expected, bool exact);

}  // namespace hap::workload
