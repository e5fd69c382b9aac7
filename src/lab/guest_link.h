// The host's end of the line to hap-agent: one request at a time, events in between.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "hap/result.h"
#include "lab/frame.h"
#include "lab/peer_socket.h"

namespace hap::lab {

// Called for each event while a request runs; an Error ends the call with it.
using EventHandler = std::function<Status(const Message& event)>;

class GuestLink {
 public:
  explicit GuestLink(PeerSocket socket) : socket_(std::move(socket)) {}

  // Sends {"op": op, ...request} and waits for the reply; returns its "result" and bytes. An error reply
  // becomes an Error of the same kind. After a failure other than an error reply the line is unusable.
  Result<Message> call(const std::string& op, nlohmann::json request, const CancelToken& cancel,
                       std::chrono::milliseconds timeout = std::chrono::seconds(60),
                       std::string_view blob = {}, const EventHandler& on_event = {});
  // Sends {"tell": word} to the operation that runs and has asked for it by an event.
  Status tell(const std::string& word, const CancelToken& cancel);
  // Waits for an event of this name; others before it are dropped.
  Result<Message> wait_event(const std::string& name, const CancelToken& cancel,
                             std::chrono::milliseconds timeout);

 private:
  Result<Message> next(Deadline deadline, const CancelToken& cancel);
  PeerSocket socket_;
  MessageDecoder decoder_;
  uint64_t last_id_ = 0;
};

}  // namespace hap::lab
