// The clients against a server that answers from a script: what counts as served, and what does not.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "base/unique_fd.h"
#include "workload/catalogue.h"
#include "workload/description.h"
#include "workload/http.h"
#include "workload/resp.h"

namespace hap::workload {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Listens on loopback; for every connection it sends the next answer of the script once something was
// received, and closes.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    endpoint_ = {"127.0.0.1", ntohs(address.sin_port)};
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  void serve() {
    for (const auto& answer : answers_) {
      UniqueFd peer(::accept(listener_.get(), nullptr, nullptr));
      if (!peer.valid()) return;
      char buffer[4096];
      if (::recv(peer.get(), buffer, sizeof buffer, 0) <= 0) continue;
      ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      ::shutdown(peer.get(), SHUT_WR);
      while (::recv(peer.get(), buffer, sizeof buffer, 0) > 0) {
      }
    }
  }

  std::vector<std::string> answers_;
  UniqueFd listener_;
  Endpoint endpoint_;
  std::thread thread_;
};

Status one_request(const std::string& workload, const std::string& answer) {
  ScriptedServer server({answer});
  auto made = make_workload(workload);
  EXPECT_TRUE(made);
  auto client = (*made)->client(server.endpoint(), 2000ms);
  if (auto begun = client->begin_window(); !begun) return begun;
  return client->request(0);
}

TEST(RedisLoad, CountsOnlyOkAsServed) {
  EXPECT_TRUE(one_request("redis-set", "+OK\r\n"));
  for (const char* answer : {"-ERR out of memory\r\n", "+QUEUED\r\n", ":1\r\n", "$2\r\nOK\r\n", "OK\r\n",
                             "+OK", "", "$99999999999\r\n", "$-7\r\n"}) {
    const auto status = one_request("redis-set", answer);
    ASSERT_FALSE(status) << answer;
    EXPECT_EQ(status.error().kind(), ErrorKind::workload) << answer;
  }
}

TEST(RedisLoad, ProvesThatTheValueIsThere) {
  // The SET is acknowledged, but the GET afterwards finds nothing.
  ScriptedServer server({"+OK\r\n$-1\r\n"});
  auto made = make_workload("redis-set");
  ASSERT_TRUE(made);
  auto client = (*made)->client(server.endpoint(), 2000ms);
  ASSERT_TRUE(client->begin_window());
  ASSERT_TRUE(client->request(0));
  const auto proof = client->prove(0);
  ASSERT_FALSE(proof);
  EXPECT_THAT(proof.error().message(), HasSubstr("did not give back"));
}

TEST(Resp, EncodesBinarySafe) {
  EXPECT_EQ(encode_command({"SET", "a b", "x\r\ny"}), "*3\r\n$3\r\nSET\r\n$3\r\na b\r\n$4\r\nx\r\ny\r\n");
}

TEST(HttpLoad, WantsThePageItself) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: ";
  EXPECT_TRUE(one_request("node-express", head + "12\r\n\r\nHello World!"));
  EXPECT_FALSE(one_request("node-express", head + "12\r\n\r\nHello World"));
  EXPECT_FALSE(one_request("node-express", head + "5\r\n\r\nHello"));
  EXPECT_FALSE(one_request("python-tornado", "HTTP/1.1 500 Oops\r\nContent-Length: 12\r\n\r\nHello World!"));
  EXPECT_FALSE(one_request("python-tornado", ""));
}

TEST(HttpReply, JoinsChunksAndRefusesDamage) {
  const auto joined = parse_http_reply(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n7;ext=1\r\n World!\r\n0\r\n\r\n");
  ASSERT_TRUE(joined) << joined.error().to_string();
  EXPECT_EQ(joined->body, "Hello World!");
  for (const char* bytes :
       {"", "HTTP/1.1 200 OK", "HTTP/1.1\r\n\r\n", "FTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nHello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHel",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"}) {
    EXPECT_FALSE(parse_http_reply(bytes)) << bytes;
  }
}

TEST(Connection, RefusesNamesAndClosedPorts) {
  EXPECT_EQ(http_get({"localhost", 80}, "/", 100ms).error().kind(), ErrorKind::usage);
  // A port that was just released.
  uint16_t port = 0;
  {
    ScriptedServer server({});
    port = server.endpoint().port;
  }
  EXPECT_EQ(http_get({"127.0.0.1", port}, "/", 500ms).error().kind(), ErrorKind::workload);
}

TEST(Catalogue, NamesWhatExists) {
  for (const auto& entry : catalogue()) EXPECT_TRUE(make_workload(entry.name)) << entry.name;
  const auto unknown = make_workload("redis");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind(), ErrorKind::usage);
  EXPECT_THAT(unknown.error().hint(), HasSubstr("redis-set"));
}

// A client whose load is the command `argv`, expecting `expect` in its output.
std::unique_ptr<Client> command_client(const nlohmann::json& argv, const std::string& expect,
                                       const Endpoint& endpoint) {
  const auto description = parse_description({{"name", "page"},
                                              {"command", {"serve"}},
                                              {"port", 80},
                                              {"load", {{"command", argv}, {"expect", expect}}}});
  EXPECT_TRUE(description);
  return make_described(*description)->client(endpoint, 2000ms);
}

TEST(CommandLoad, CountsAnExitStatusAndTheExpectedOutput) {
  const ScriptedServer server({});
  const std::string place = server.endpoint().address + ":" + std::to_string(server.endpoint().port);
  const auto client = command_client({"echo", "{n}:{address}:{port}"}, "7:" + place, server.endpoint());
  EXPECT_TRUE(client->request(7));
  EXPECT_FALSE(client->request(8));
  const auto status = command_client({"false"}, "", server.endpoint())->request(1);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::workload);
}

// Intent: waiting for a service must not cost it the processor.
TEST(CommandLoad, StartsNothingWhileNobodyListens) {
  const Endpoint nobody{"127.0.0.1", 1};
  const auto status = command_client({"no-such-program"}, "", nobody)->request(1);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().to_string(), HasSubstr("connecting to the service"));
}

}  // namespace
}  // namespace hap::workload
