#include "agent/guest_network.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <thread>
#include <vector>

#include "base/file.h"

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

void set_ip(sockaddr& where, in_addr address) {
  sockaddr_in full{};
  full.sin_family = AF_INET;
  full.sin_addr = address;
  std::memcpy(&where, &full, sizeof full);
}

Error failed(const char* what) {
  return Error::from_errno(std::string("setting the guest's ") + what, errno);
}

}  // namespace

// By the kernel's own calls (netdevice(7)): starting a program is what takes long in a guest that has just
// booted.
Status set_address(const GuestAddress& address) {
  const size_t slash = address.address.find('/');
  const std::string host = address.address.substr(0, slash);
  int prefix = 32;
  if (slash != std::string::npos) {
    const char* end = address.address.data() + address.address.size();
    const auto parsed = std::from_chars(address.address.data() + slash + 1, end, prefix);
    if (parsed.ec != std::errc() || parsed.ptr != end || prefix < 1 || prefix > 32) {
      return Error("not an address with a prefix: " + address.address);
    }
  }
  in_addr own{};
  in_addr gateway{};
  if (::inet_pton(AF_INET, host.c_str(), &own) != 1 ||
      ::inet_pton(AF_INET, address.gateway.c_str(), &gateway) != 1) {
    return Error("not an address: " + host + " or " + address.gateway);
  }
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Error::from_errno("cannot make a socket", errno);
  ifreq request{};
  std::snprintf(request.ifr_name, sizeof request.ifr_name, "%s", address.device.c_str());
  set_ip(request.ifr_addr, own);
  if (::ioctl(fd.get(), SIOCSIFADDR, &request) != 0) return failed("address");
  set_ip(request.ifr_netmask, {htonl(~uint32_t{0} << (32 - prefix))});
  if (::ioctl(fd.get(), SIOCSIFNETMASK, &request) != 0) return failed("netmask");
  if (::ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0) return failed("flags");
  request.ifr_flags |= IFF_UP | IFF_RUNNING;
  if (::ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) return failed("flags");
  rtentry route{};
  set_ip(route.rt_dst, {INADDR_ANY});
  set_ip(route.rt_genmask, {INADDR_ANY});
  set_ip(route.rt_gateway, gateway);
  route.rt_flags = RTF_UP | RTF_GATEWAY;
  if (::ioctl(fd.get(), SIOCADDRT, &route) != 0 && errno != EEXIST) return failed("default route");
  return {};
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
