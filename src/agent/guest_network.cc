#include "agent/guest_network.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <sstream>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/subprocess.h"

namespace hap::agent {
namespace {

using namespace std::chrono_literals;

// The front end connects to its back end a moment after its driver was loaded.
Status wait_for_device(const std::string& device) {
  for (int tries = 0; tries < 1000; ++tries) {
    if (::if_nametoindex(device.c_str()) != 0) return {};
    std::this_thread::sleep_for(10ms);
  }
  return Error("the guest has no network device " + device);
}

}  // namespace

Status set_address(const GuestAddress& address) {
  const std::string lines = "addr add " + address.address + " dev " + address.device + "\nlink set " +
                            address.device + " up\nroute add default via " + address.gateway + "\n";
  SpawnOptions options;
  options.argv = {"ip", "-batch", "-"};
  HAP_TRY(done, run(options, 60s, lines));
  return done.ok() ? Status() : Status(Error("setting the guest's address: " + done.err, ErrorKind::sandbox));
}

std::optional<GuestCaller> parse_guest_caller(const std::string& command_line) {
  const std::string key = "hap.guest=";
  std::istringstream words(command_line);
  for (std::string word; words >> word;) {
    if (word.rfind(key, 0) != 0) continue;
    std::vector<std::string> fields;
    std::istringstream values(word.substr(key.size()));
    for (std::string value; std::getline(values, value, ',');) fields.push_back(value);
    GuestCaller caller;
    if (fields.size() != 4) return std::nullopt;
    const std::string& port = fields[3];
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), caller.port);
    if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size()) return std::nullopt;
    caller.own = {fields[0], fields[1], fields[2]};
    return caller;
  }
  return std::nullopt;
}

std::optional<GuestCaller> guest_caller() {
  const auto text = read_file("/proc/cmdline");
  return text ? parse_guest_caller(*text) : std::nullopt;
}

Result<Channel> call_sandbox(const GuestCaller& caller) {
  HAP_CHECK(wait_for_device(caller.own.device));
  HAP_CHECK(set_address(caller.own));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(caller.port);
  if (::inet_pton(AF_INET, caller.own.gateway.c_str(), &address.sin_addr) != 1) {
    return Error("not an address: " + caller.own.gateway);
  }
  // The link may come up a moment after the device.
  for (int tries = 0;; ++tries) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return Error::from_errno("cannot make a socket", errno);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      const int on = 1;
      (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return Channel(std::move(fd));
    }
    if (tries == 100) return Error::from_errno("connecting to the sandbox outside", errno);
    std::this_thread::sleep_for(100ms);
  }
}

}  // namespace hap::agent
