// The agent's end of the line to the host: a virtio-serial port named hap.agent.
#pragma once

#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "hap/result.h"
#include "lab/frame.h"

namespace hap::agent {

class Channel {
 public:
  // Waits up to some seconds for the port to appear.
  static Result<Channel> open_port(const std::string& name = "hap.agent");
  // For tests: any stream descriptor.
  explicit Channel(UniqueFd fd) : fd_(std::move(fd)) {}
  Channel(Channel&& other) noexcept : fd_(std::move(other.fd_)), decoder_(std::move(other.decoder_)) {}

  // Blocks until the host sends something. While no host is connected it waits for one.
  Result<lab::Message> next();
  // Sends a message whole; several threads may send.
  Status send(const nlohmann::json& body, std::string_view blob = {});
  // Sends an event: `fields` plus {"event": name}.
  Status emit(const std::string& name, nlohmann::json fields = nlohmann::json::object());

 private:
  UniqueFd fd_;
  lab::MessageDecoder decoder_;
  std::mutex sending_;
};

}  // namespace hap::agent
