#include "sandbox/network.h"

#include <net/if.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "sandbox/command.h"

namespace hap::sandbox {
using namespace std::chrono_literals;
namespace {

constexpr const char* veth_host = "hapv0";
constexpr const char* veth_inside = "eth0";
constexpr const char* tap_name = "hapt0";
constexpr const char* netns_name = "hap-cell";

std::string with_prefix(const char* address) {
  return std::string(address) + "/" + std::to_string(prefix_length);
}

// One `ip` for several commands: a program start costs far more than a command in an emulated machine.
Status ip_batch(const std::string& lines, const std::string& netns = "") {
  std::vector<std::string> argv{"ip"};
  if (!netns.empty()) argv.insert(argv.end(), {"-n", netns});
  argv.insert(argv.end(), {"-batch", "-"});
  return run_command(argv, lines).context_if("setting up the network");
}

enum class AddressCheck { no_address, in_progress, done };

// if_inet6 has a line for each address: address, index, prefix length, scope, flags (all hexadecimal),
// device.
AddressCheck address_check(std::istream& lines, const std::string& device) {
  constexpr unsigned long tentative = 0x40;  // IFA_F_TENTATIVE (linux/if_addr.h)
  auto seen = AddressCheck::no_address;
  std::string address, index, prefix, scope, flags, name;
  while (lines >> address >> index >> prefix >> scope >> flags >> name) {
    if (name != device) continue;
    if ((std::strtoul(flags.c_str(), nullptr, 16) & tentative) != 0) return AddressCheck::in_progress;
    seen = AddressCheck::done;
  }
  return seen;
}

void forget_veth() {
  (void)run_command({"ip", "link", "del", veth_host});
  (void)run_command({"ip", "netns", "del", netns_name});
}

}  // namespace

Status ensure_bridge() {
  if (::if_nametoindex(bridge_name) != 0) return {};
  const std::string name = bridge_name;
  return ip_batch("link add " + name + " type bridge\naddr add " + with_prefix(bridge_address) + " dev " +
                  name + "\nlink set " + name + " up\n");
}

Status await_address_check(const std::string& device, pid_t process) {
  const std::string table = "/proc/" + std::to_string(process) + "/net/if_inet6";
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    std::ifstream lines(table);
    if (!lines) return {};  // a kernel without IPv6
    const AddressCheck check = address_check(lines, device);
    const auto waited = std::chrono::steady_clock::now() - start;
    if (check == AddressCheck::done || (check == AddressCheck::no_address && waited > 1s)) return {};
    if (waited > 10s) {
      return Error("the IPv6 address of the sandbox is still being checked after 10 s", ErrorKind::sandbox)
          .at(device);
    }
    std::this_thread::sleep_for(20ms);
  }
}

Result<std::string> netdev_key_in(const std::string& device, const std::string& netns) {
  struct stat status {};
  if (::stat(netns.c_str(), &status) != 0)
    return Error::from_errno("cannot find the network namespace", errno).at(netns);
  return device + "@" + std::to_string(status.st_ino);
}

Result<std::string> netdev_key(const std::string& device) {
  return netdev_key_in(device, "/proc/self/ns/net");
}

Result<VethPort> VethPort::create() {
  HAP_CHECK(ensure_bridge());
  if (::if_nametoindex(veth_host) != 0) forget_veth();  // left by a cell that was killed
  VethPort port;
  HAP_CHECK(run_command({"ip", "netns", "add", netns_name}).context_if("setting up the network"));
  const std::string host = veth_host;
  const std::string inside = veth_inside;
  HAP_CHECK(ip_batch("link add " + host + " type veth peer name " + inside + " netns " + netns_name +
                     "\nlink set " + host + " master " + bridge_name + " up\n"));
  HAP_CHECK(ip_batch("link set lo up\nlink set " + inside + " addrgenmode none\naddr add " +
                         with_prefix(sandbox_address) + " dev " + inside + "\nlink set " + inside +
                         " up\nroute add default via " + bridge_address + "\n",
                     netns_name));
  HAP_TRY(host_key, netdev_key(host));
  HAP_TRY(inside_key, netdev_key_in(inside, port.netns_path()));
  port.scope_ = {{"netdev", host_key, "application"}, {"netdev", inside_key, "application"}};
  return port;
}

VethPort::VethPort(VethPort&& other) noexcept : owned_(other.owned_), scope_(std::move(other.scope_)) {
  other.owned_ = false;
}

VethPort::~VethPort() {
  if (owned_) forget_veth();
}

std::string VethPort::netns_path() const {
  return std::string("/run/netns/") + netns_name;
}

Result<TapPort> TapPort::create() {
  HAP_CHECK(ensure_bridge());
  const std::string name = tap_name;
  if (::if_nametoindex(tap_name) != 0) (void)run_command({"ip", "link", "del", name});
  TapPort port;
  HAP_CHECK(ip_batch("tuntap add dev " + name + " mode tap vnet_hdr\nlink set " + name + " master " +
                     bridge_name + " up\n"));
  HAP_TRY(key, netdev_key(name));
  port.scope_ = {{"netdev", key, "sandbox"}};
  return port;
}

TapPort::TapPort(TapPort&& other) noexcept : owned_(other.owned_), scope_(std::move(other.scope_)) {
  other.owned_ = false;
}

TapPort::~TapPort() {
  if (owned_) (void)run_command({"ip", "link", "del", tap_name});
}

std::string TapPort::device() const {
  return tap_name;
}

}  // namespace hap::sandbox
