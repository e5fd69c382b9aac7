// Workloads that a description makes.
#include "base/subprocess.h"
#include "workload/connection.h"
#include "workload/description.h"
#include "workload/http.h"

namespace hap::workload {
namespace {

std::string filled(std::string text, const std::string& place, const std::string& value) {
  for (size_t at = 0; (at = text.find(place, at)) != std::string::npos; at += value.size()) {
    text.replace(at, place.size(), value);
  }
  return text;
}

// Each request is one run of the user's client program, a child of the load generator.
class CommandClient : public Client {
 public:
  CommandClient(Description description, Endpoint endpoint, std::chrono::milliseconds timeout)
      : description_(std::move(description)), endpoint_(std::move(endpoint)), timeout_(timeout) {}

  Status begin_window() override { return {}; }

  Status request(uint64_t n) override {
    // Programs are expensive to start: while nobody listens yet, they would take the time that the service
    // needs to get ready.
    if (!reached_) HAP_CHECK(Connection::open(endpoint_, timeout_));
    reached_ = true;
    SpawnOptions options;
    for (const auto& word : description_.load_command) {
      options.argv.push_back(filled(
          filled(filled(word, "{address}", endpoint_.address), "{port}", std::to_string(endpoint_.port)),
          "{n}", std::to_string(n)));
    }
    auto output = run(std::move(options), timeout_);
    if (!output)
      return Error(output.error()).of_kind(ErrorKind::workload).context("running the load command");
    if (!output->ok()) {
      return Error("the load command ended with status " + std::to_string(output->exit_code()) + ": " +
                       output->err.substr(0, 300),
                   ErrorKind::workload);
    }
    if (output->out.find(description_.expect) == std::string::npos) {
      return Error("the load command did not print \"" + description_.expect + "\"", ErrorKind::workload);
    }
    return {};
  }

  Status prove(uint64_t random) override { return request(random % 1000); }

 private:
  Description description_;
  Endpoint endpoint_;
  std::chrono::milliseconds timeout_;
  bool reached_ = false;  // the service has accepted a connection
};

class Described : public Workload {
 public:
  explicit Described(Description description) : description_(std::move(description)) {}

  sandbox::Service service() const override { return description_.service; }

  std::unique_ptr<Client> client(const Endpoint& endpoint, std::chrono::milliseconds timeout) const override {
    if (description_.http_path.empty())
      return std::make_unique<CommandClient>(description_, endpoint, timeout);
    return make_http_client(endpoint, timeout, description_.http_path, description_.expect, false);
  }

 private:
  Description description_;
};

}  // namespace

std::unique_ptr<Workload> make_described(const Description& description) {
  return std::make_unique<Described>(description);
}

}  // namespace hap::workload
