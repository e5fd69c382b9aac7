// The agent's request loop: a table from the operation's name to the function that does it.
//
// To add an operation: write a Handler, register it in an add_*_operations function called by main.cc.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "agent/channel.h"
#include "hap/result.h"

namespace hap::agent {

struct Call {
  const nlohmann::json& request;  // the whole request object
  const std::string& blob;        // bytes that came with it
  Channel& channel;               // for events while the operation runs
};

struct Reply {
  nlohmann::json result = nlohmann::json::object();
  std::string blob = {};
};

using Handler = std::function<Result<Reply>(const Call&)>;

class Dispatcher {
 public:
  void add(const std::string& op, Handler handler) { handlers_[op] = std::move(handler); }
  // Runs one request and gives what to send back. A handler that throws (a request of the wrong shape, say)
  // makes an error reply.
  Reply answer(const lab::Message& message, Channel& channel) const;
  // Serves requests one after the other until the channel breaks.
  Status serve(Channel& channel) const;

 private:
  std::map<std::string, Handler> handlers_;
};

}  // namespace hap::agent
