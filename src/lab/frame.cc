#include "lab/frame.h"

#include <array>
#include <utility>

namespace hap::lab {
namespace {

constexpr std::array<std::pair<ErrorKind, const char*>, 7> kKinds{{
    {ErrorKind::failed, "failed"},
    {ErrorKind::usage, "usage"},
    {ErrorKind::unsupported, "unsupported"},
    {ErrorKind::corrupt, "corrupt"},
    {ErrorKind::sandbox, "sandbox"},
    {ErrorKind::workload, "workload"},
    {ErrorKind::interrupted, "interrupted"},
}};

std::string text_member(const nlohmann::json& object, const char* name) {
  auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Error damaged(const std::string& what) {
  return Error("the lab machine's answer is damaged: " + what, ErrorKind::corrupt);
}

}  // namespace

std::string encode_message(nlohmann::json body, std::string_view blob) {
  if (!blob.empty()) body["blob"] = blob.size();
  // Program output may be any bytes: what is not UTF-8 is replaced instead of failing the message.
  std::string bytes = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  bytes += '\n';
  bytes.append(blob);
  return bytes;
}

Result<std::optional<Message>> MessageDecoder::next() {
  if (!body_) {
    size_t end = pending_.find('\n', searched_);
    if (end == std::string::npos) {
      searched_ = pending_.size();
      if (pending_.size() > kMaxLineBytes) return damaged("a line is too long");
      return std::optional<Message>();
    }
    if (end > kMaxLineBytes) return damaged("a line is too long");
    auto body =
        nlohmann::json::parse(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(end), nullptr,
                              /*allow_exceptions=*/false);
    if (!body.is_object()) return damaged("a line is not a JSON object");
    pending_.erase(0, end + 1);
    searched_ = 0;
    blob_bytes_ = 0;
    if (auto blob = body.find("blob"); blob != body.end()) {
      if (!blob->is_number_unsigned() || blob->get<uint64_t>() > kMaxBlobBytes) {
        return damaged("the size of attached bytes is out of range");
      }
      blob_bytes_ = blob->get<size_t>();
    }
    body_ = std::move(body);
  }
  if (pending_.size() < blob_bytes_) return std::optional<Message>();
  Message message{std::move(*body_), pending_.substr(0, blob_bytes_)};
  pending_.erase(0, blob_bytes_);
  body_.reset();
  return std::optional<Message>(std::move(message));
}

nlohmann::json error_to_json(const Error& error) {
  const char* kind = "failed";
  for (const auto& [value, name] : kKinds) {
    if (value == error.kind()) kind = name;
  }
  nlohmann::json object{{"kind", kind}, {"message", error.to_string()}};
  if (!error.hint().empty()) object["hint"] = error.hint();
  return object;
}

Error error_from_json(const nlohmann::json& object) {
  if (!object.is_object()) return damaged("an error without a description");
  std::string message = text_member(object, "message");
  ErrorKind kind = ErrorKind::failed;
  std::string name = text_member(object, "kind");
  for (const auto& [value, text] : kKinds) {
    if (name == text) kind = value;
  }
  return Error(message.empty() ? "the lab machine reported an error without a message" : message, kind)
      .hint(text_member(object, "hint"));
}

}  // namespace hap::lab
