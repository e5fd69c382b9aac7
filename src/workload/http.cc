#include "workload/http.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "workload/connection.h"

namespace hap::workload {
namespace {

Error damaged(const std::string& what) {
  return Error("the reply is not HTTP: " + what, ErrorKind::workload);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// The value of a header field, trimmed, or "" when it is not there. `head` is in lower case.
std::string field(const std::string& head, const std::string& name) {
  const size_t at = head.find("\r\n" + name + ":");
  if (at == std::string::npos) return "";
  const size_t start = head.find_first_not_of(" \t", at + name.size() + 3);
  const size_t end = head.find("\r\n", at + 2);
  if (start == std::string::npos || start >= end) return "";
  return head.substr(start, end - start);
}

Result<std::string> join_chunks(const std::string& coded) {
  std::string body;
  for (size_t at = 0;;) {
    const size_t line = coded.find("\r\n", at);
    if (line == std::string::npos) return damaged("a chunk without a size");
    size_t size = 0;
    const auto parsed = std::from_chars(coded.data() + at, coded.data() + line, size, 16);
    if (parsed.ec != std::errc()) return damaged("a chunk without a size");
    if (size == 0) return body;
    if (size > coded.size() || line + 2 + size + 2 > coded.size()) return damaged("a chunk is cut short");
    body.append(coded, line + 2, size);
    at = line + 2 + size + 2;
  }
}

class HttpClient : public Client {
 public:
  HttpClient(Endpoint endpoint, std::chrono::milliseconds timeout, std::string path, std::string expected,
             bool exact)
      : endpoint_(std::move(endpoint)),
        timeout_(timeout),
        path_(std::move(path)),
        expected_(std::move(expected)),
        exact_(exact) {}

  Status begin_window() override { return {}; }

  Status request(uint64_t) override {
    HAP_TRY(reply, http_get(endpoint_, path_, timeout_));
    if (reply.status != 200) {
      return Error("GET " + path_ + " was answered with status " + std::to_string(reply.status),
                   ErrorKind::workload);
    }
    const bool right = exact_ ? reply.body == expected_ : reply.body.find(expected_) != std::string::npos;
    if (!right) {
      return Error("GET " + path_ + " gave \"" + reply.body.substr(0, 80) + "\" instead of the page",
                   ErrorKind::workload);
    }
    return {};
  }

  Status prove(uint64_t) override { return request(0); }

 private:
  Endpoint endpoint_;
  std::chrono::milliseconds timeout_;
  std::string path_;
  std::string expected_;
  bool exact_;
};

}  // namespace

Result<HttpReply> parse_http_reply(const std::string& bytes) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return damaged("its header does not end");
  const std::string head = lower(bytes.substr(0, end + 2));
  if (head.rfind("http/1.", 0) != 0 || head.size() < 12) return damaged("no status line");
  HttpReply reply;
  const auto parsed = std::from_chars(head.data() + 9, head.data() + 12, reply.status);
  if (parsed.ec != std::errc() || reply.status < 100) return damaged("no status");
  std::string body = bytes.substr(end + 4);
  if (field(head, "transfer-encoding") == "chunked") {
    HAP_TRY(joined, join_chunks(body));
    body = std::move(joined);
  } else if (const std::string length = field(head, "content-length"); !length.empty()) {
    size_t size = 0;
    const auto number = std::from_chars(length.data(), length.data() + length.size(), size);
    if (number.ec != std::errc() || size != body.size())
      return damaged("the body has not the length it claims");
  }
  reply.body = std::move(body);
  return reply;
}

Result<HttpReply> http_get(const Endpoint& endpoint, const std::string& path,
                           std::chrono::milliseconds timeout) {
  HAP_TRY(connection, Connection::open(endpoint, timeout));
  HAP_CHECK(connection.send("GET " + path + " HTTP/1.1\r\nHost: " + endpoint.address +
                            "\r\nUser-Agent: hap\r\nAccept: */*\r\nConnection: close\r\n\r\n"));
  HAP_TRY(bytes, connection.read_to_end());
  return parse_http_reply(bytes);
}

std::unique_ptr<Client> make_http_client(const Endpoint& endpoint, std::chrono::milliseconds timeout,
                                         std::string path, std::string expected, bool exact) {
  return std::make_unique<HttpClient>(endpoint, timeout, std::move(path), std::move(expected), exact);
}

}  // namespace hap::workload
