// idle: nothing is asked of anybody. The service sleeps, and windows pass as the load profile paces them.
// What the machine does by itself then is what `hap report --baseline` compares with.
#include "workload/builtin.h"

namespace hap::workload {
namespace {

class NoClient : public Client {
 public:
  Status begin_window() override { return {}; }
  Status request(uint64_t) override { return {}; }
  Status prove(uint64_t) override { return {}; }
};

class Idle : public Workload {
 public:
  sandbox::Service service() const override {
    sandbox::Service service;
    service.name = kIdle;
    service.argv = {"sleep", "infinity"};
    return service;
  }

  std::unique_ptr<Client> client(const Endpoint&, std::chrono::milliseconds) const override {
    return std::make_unique<NoClient>();
  }
};

}  // namespace

std::unique_ptr<Workload> make_idle() {
  return std::make_unique<Idle>();
}

}  // namespace hap::workload
