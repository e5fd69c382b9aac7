#include "lab/guest_link.h"

namespace hap::lab {

using nlohmann::json;

Result<Message> GuestLink::next(Deadline deadline, const CancelToken& cancel) {
  for (;;) {
    HAP_TRY(message, decoder_.next());
    if (message) return std::move(*message);
    HAP_TRY(bytes, socket_.receive(deadline, cancel));
    decoder_.feed(bytes);
  }
}

Result<Message> GuestLink::call(const std::string& op, json request, const CancelToken& cancel,
                                std::chrono::milliseconds timeout, std::string_view blob,
                                const EventHandler& on_event) {
  Deadline deadline = std::chrono::steady_clock::now() + timeout;
  uint64_t id = ++last_id_;
  request["id"] = id;
  request["op"] = op;
  if (auto sent = socket_.send(encode_message(std::move(request), blob), deadline, cancel); !sent) {
    return sent.error().context(op);
  }
  for (;;) {
    auto message = next(deadline, cancel);
    if (!message) return message.error().context(op);
    if (message->body.contains("event")) {
      if (on_event) HAP_CHECK(on_event(*message));
      continue;
    }
    // An answer to an earlier request that was given up.
    if (auto answered = message->body.find("id"); answered == message->body.end() || *answered != id)
      continue;
    auto ok = message->body.find("ok");
    if (ok == message->body.end() || !ok->is_boolean()) {
      return Error("the lab machine's answer is damaged", ErrorKind::corrupt);
    }
    if (!ok->get<bool>()) return error_from_json(message->body["error"]);
    return Message{std::move(message->body["result"]), std::move(message->blob)};
  }
}

Status GuestLink::tell(const std::string& word, const CancelToken& cancel) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  return socket_.send(encode_message({{"tell", word}}, {}), deadline, cancel);
}

Result<Message> GuestLink::wait_event(const std::string& name, const CancelToken& cancel,
                                      std::chrono::milliseconds timeout) {
  Deadline deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    auto message = next(deadline, cancel);
    if (!message) return message.error().context("waiting for `" + name + "`");
    if (auto event = message->body.find("event"); event != message->body.end() && *event == name)
      return message;
  }
}

}  // namespace hap::lab
