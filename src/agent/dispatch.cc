#include "agent/dispatch.h"

#include <exception>

namespace hap::agent {

Reply Dispatcher::answer(const lab::Message& message, Channel& channel) const {
  nlohmann::json body{{"id", message.body.value("id", nlohmann::json())}};
  auto refuse = [&](const Error& error) {
    body["ok"] = false;
    body["error"] = lab::error_to_json(error);
    return Reply{body, {}};
  };
  auto op = message.body.find("op");
  if (op == message.body.end() || !op->is_string()) {
    return refuse(Error("the request names no operation", ErrorKind::usage));
  }
  auto handler = handlers_.find(op->get<std::string>());
  if (handler == handlers_.end()) {
    return refuse(Error("the agent has no operation " + op->get<std::string>(), ErrorKind::usage));
  }
  try {
    auto reply = handler->second(Call{message.body, message.blob, channel});
    if (!reply) return refuse(reply.error());
    body["ok"] = true;
    body["result"] = std::move(reply->result);
    return Reply{body, std::move(reply->blob)};
  } catch (const std::exception& e) {
    return refuse(Error(handler->first + ": " + e.what()));
  }
}

Status Dispatcher::serve(Channel& channel) const {
  for (;;) {
    auto message = channel.next();
    if (!message) return message.error();
    Reply reply = answer(*message, channel);
    HAP_CHECK(channel.send(reply.result, reply.blob));
  }
}

}  // namespace hap::agent
