// The wire format between the host and hap-agent: one JSON object per line, optionally followed by raw bytes.
//
// A message whose object has the member "blob": N is followed by exactly N raw bytes; the receiver hands them
// out beside the object. Three kinds of message exist:
//   request  {"id": 7, "op": "exec", ...}                              host to agent
//   reply    {"id": 7, "ok": true, "result": {...}}                    agent to host, one per request
//            {"id": 7, "ok": false, "error": {"kind": ..., "message": ..., "hint": ...}}
//   event    {"event": "phase", ...}                                   agent to host, at any moment
// The guest is not trusted: sizes are bounded, and what does not parse is an error.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "hap/result.h"

namespace hap::lab {

struct Message {
  nlohmann::json body;  // always an object
  std::string blob;     // empty when the message carries none
};

inline constexpr size_t kMaxLineBytes = size_t{16} << 20;
inline constexpr size_t kMaxBlobBytes = size_t{256} << 20;

// The bytes of one message; sets body["blob"] from the blob's size.
std::string encode_message(nlohmann::json body, std::string_view blob = {});

// Cuts a byte stream into messages.
class MessageDecoder {
 public:
  void feed(std::string_view bytes) { pending_.append(bytes); }
  // The next complete message, nothing when more bytes are needed, or an Error of kind `corrupt`, after which
  // the stream is unusable.
  Result<std::optional<Message>> next();
  // Bytes of an incomplete message that wait for the rest.
  size_t pending() const { return pending_.size(); }

 private:
  std::string pending_;
  size_t searched_ = 0;  // no newline before this offset of pending_
  std::optional<nlohmann::json> body_;
  size_t blob_bytes_ = 0;
};

// An Error as it travels in a reply, and back.
nlohmann::json error_to_json(const Error& error);
Error error_from_json(const nlohmann::json& object);

}  // namespace hap::lab
