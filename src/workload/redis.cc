// redis-set and redis-get: Debian's redis as it comes, one SET or GET per request.
#include <optional>

#include "workload/builtin.h"
#include "workload/resp.h"

namespace hap::workload {
namespace {

constexpr uint16_t redis_port = 6379;
constexpr uint64_t key_count = 100;

std::string key_of(uint64_t n) {
  return "hap:" + std::to_string(n % key_count);
}
// Depends on the request, so that an old value is not mistaken for the one just set.
std::string value_of(uint64_t n) {
  return "value-" + std::to_string(n) + "-" + std::string(48, 'x');
}

class RedisClient : public Client {
 public:
  RedisClient(RedisLoad load, Endpoint endpoint, std::chrono::milliseconds timeout)
      : load_(load), endpoint_(std::move(endpoint)), timeout_(timeout) {}

  Status begin_window() override {
    connection_.reset();
    auto connection = Connection::open(endpoint_, timeout_);
    if (!connection) return connection.error();
    connection_.emplace(std::move(*connection));
    if (load_ == RedisLoad::get && !filled_) HAP_CHECK(fill());
    return {};
  }

  Status request(uint64_t n) override {
    if (!connection_) HAP_CHECK(begin_window());
    if (load_ == RedisLoad::get) return check_get(n % key_count, n % key_count);
    HAP_CHECK(set(n));
    last_ = n;
    return {};
  }

  Status prove(uint64_t random) override {
    if (!connection_) HAP_CHECK(begin_window());
    if (load_ == RedisLoad::get) return check_get(random % key_count, random % key_count);
    if (!last_) return Error("nothing was set", ErrorKind::workload);
    // One of the keys that were set: the newest request that wrote it is known.
    const uint64_t back = random % std::min(key_count, *last_ + 1);
    return check_get(*last_ - back, *last_ - back);
  }

 private:
  Status fill() {
    for (uint64_t n = 0; n < key_count; ++n) HAP_CHECK(set(n));
    filled_ = true;
    return {};
  }

  Status set(uint64_t n) {
    HAP_CHECK(connection_->send(encode_command({"SET", key_of(n), value_of(n)})));
    HAP_TRY(reply, read_reply(*connection_));
    if (reply.type == '+' && reply.text == "OK") return {};
    return Error("SET was answered with \"" + std::string(1, reply.type) + reply.text + "\" instead of +OK",
                 ErrorKind::workload);
  }

  Status check_get(uint64_t key, uint64_t value) {
    HAP_CHECK(connection_->send(encode_command({"GET", key_of(key)})));
    HAP_TRY(reply, read_reply(*connection_));
    if (reply.type == '$' && !reply.null && reply.text == value_of(value)) return {};
    return Error("GET " + key_of(key) + " did not give back what was set", ErrorKind::workload);
  }

  RedisLoad load_;
  Endpoint endpoint_;
  std::chrono::milliseconds timeout_;
  std::optional<Connection> connection_;
  std::optional<uint64_t> last_;
  bool filled_ = false;
};

class Redis : public Workload {
 public:
  explicit Redis(RedisLoad load) : load_(load) {}

  sandbox::Service service() const override {
    sandbox::Service service;
    service.name = "redis";
    // Without a configuration file, as the published measurement ran it; protected mode would refuse every
    // client that is not on loopback.
    service.argv = {"redis-server",
                    "--bind",
                    "{address}",
                    "--port",
                    std::to_string(redis_port),
                    "--protected-mode",
                    "no",
                    "--dir",
                    sandbox::service_folder};
    service.slowest_timer_s = 300;  // its default `save 300 100`: the keys are written to a file
    service.port = redis_port;
    return service;
  }

  std::unique_ptr<Client> client(const Endpoint& endpoint, std::chrono::milliseconds timeout) const override {
    return std::make_unique<RedisClient>(load_, endpoint, timeout);
  }

  std::vector<std::string> version_command() const override { return {"redis-server", "--version"}; }

 private:
  RedisLoad load_;
};

}  // namespace

std::unique_ptr<Workload> make_redis(RedisLoad load) {
  return std::make_unique<Redis>(load);
}

}  // namespace hap::workload
