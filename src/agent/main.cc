// hap-agent: the first process of the lab machine. See docs/lab.md.
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "agent/channel.h"
#include "agent/dispatch.h"
#include "agent/guest_network.h"
#include "agent/init.h"
#include "agent/operations.h"
#if __has_include("agent/cell.h")
#include "agent/cell.h"
#endif

namespace {

int serve_host(const std::vector<std::string>& boot_remarks) {
  using namespace hap::agent;
  auto caller = guest_caller();
  auto channel = caller ? call_sandbox(*caller) : Channel::open_port();
  if (!channel) {
    std::fprintf(stderr, "hap-agent: %s\n", channel.error().to_string().c_str());
    return 1;
  }
  Dispatcher dispatcher;
  add_machine_operations(dispatcher);
  add_file_operations(dispatcher);
  add_exec_operation(dispatcher);
  add_kernel_operation(dispatcher);
  add_shell_operation(dispatcher);
  add_xen_operations(dispatcher);
#if __has_include("agent/cell.h")
  add_cell_operations(dispatcher);
#endif
  (void)channel->emit("ready", {{"remarks", boot_remarks}});
  auto served = dispatcher.serve(*channel);
  std::fprintf(stderr, "hap-agent: %s\n", served.error().to_string().c_str());
  return 1;
}

}  // namespace

int main() {
  if (getpid() != 1) {
    std::fprintf(stderr, "hap-agent is the first process of hapmeter's lab machine; it does nothing here\n");
    return 2;
  }
  auto remarks = hap::agent::bring_up();
  if (!remarks) {
    std::fprintf(stderr, "hap-agent: %s\n", remarks.error().to_string().c_str());
    sleep(1);
  } else {
    hap::agent::reap_forever([&] { return serve_host(*remarks); });
  }
  return 1;
}
