#include "workload/resp.h"

#include <charconv>

namespace hap::workload {
namespace {

constexpr long max_bulk = 16 << 20;

Error damaged(const std::string& line) {
  return Error("the reply is not redis' protocol: \"" + line.substr(0, 60) + "\"", ErrorKind::workload);
}

}  // namespace

std::string encode_command(const std::vector<std::string>& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return bytes;
}

Result<RespReply> read_reply(Connection& connection) {
  HAP_TRY(line, connection.read_line());
  if (line.empty()) return damaged(line);
  RespReply reply;
  reply.type = line[0];
  reply.text = line.substr(1);
  if (reply.type == '+' || reply.type == '-' || reply.type == ':') return reply;
  if (reply.type != '$') return damaged(line);
  long size = 0;
  const char* end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data() + 1, end, size);
  if (parsed.ec != std::errc() || parsed.ptr != end || size < -1 || size > max_bulk) return damaged(line);
  if (size == -1) {
    reply.null = true;
    reply.text.clear();
    return reply;
  }
  HAP_TRY(bytes, connection.read_exactly(static_cast<size_t>(size) + 2));
  if (bytes.substr(bytes.size() - 2) != "\r\n") return damaged(line);
  bytes.resize(bytes.size() - 2);
  reply.text = std::move(bytes);
  return reply;
}

}  // namespace hap::workload
