#include "agent/operations.h"
#include "sandbox/xen_toolstack.h"

namespace hap::agent {

void add_xen_operations(Dispatcher& dispatcher) {
  dispatcher.add("start_dom0", [](const Call&) -> Result<Reply> {
    HAP_CHECK(sandbox::start_dom0());
    return Reply{};
  });
}

}  // namespace hap::agent
