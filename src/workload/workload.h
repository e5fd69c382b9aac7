// Workload: a service, and the load that is offered to it and checked.
//
// To add another: derive from Workload in a file of its own and add one row to the table in catalogue.cc, or
// describe it in a TOML file (docs/workloads.md). The client runs outside the sandbox and is never counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hap/result.h"
#include "sandbox/service.h"

namespace hap::workload {

struct Endpoint {
  std::string address;  // IPv4
  uint16_t port = 0;
};

// One user of the service. Errors are of kind `workload`; each says what was expected and what came.
class Client {
 public:
  virtual ~Client() = default;
  // A window begins: a client with a lasting connection makes a new one, so that every window holds the
  // same kinds of work, accepting a connection included.
  virtual Status begin_window() = 0;
  // Request number `n`; returns once the reply was verified.
  virtual Status request(uint64_t n) = 0;
  // After the load: a check that what was served took effect. `random` chooses what to look at.
  virtual Status prove(uint64_t random) = 0;
};

class Workload {
 public:
  virtual ~Workload() = default;
  virtual sandbox::Service service() const = 0;
  // A client whose every network operation ends after `timeout`.
  virtual std::unique_ptr<Client> client(const Endpoint& endpoint,
                                         std::chrono::milliseconds timeout) const = 0;
  // Command that prints the service's version in its first line; empty when there is none.
  virtual std::vector<std::string> version_command() const { return {}; }
};

// The workload that asks for nothing; its recordings are baselines.
inline constexpr const char* kIdle = "idle";

}  // namespace hap::workload
