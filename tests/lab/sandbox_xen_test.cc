// Xen PV in the lab machine, end to end: four kinds of code at overlapping addresses, each on its own
// account.
#include <set>

#include "hap/recording.h"
#include "program/hap_program.h"

namespace hap::testing {
namespace {

class XenPv : public ScratchTest {};

// Intent: a cell is served completely; Xen, dom0 and the guest are told apart, and the back ends are in the
// scope.
TEST_F(XenPv, ServesWithEverybodysCodeOnItsOwnAccount) {
  const std::string file = scratch("xen.hap");
  const auto seen =
      hap({"measure", "--sandbox", "xen-pv", "--workload", "redis-set", "--profile", "fast", "-o", file});
  ASSERT_EQ(seen.exit_code, 0) << seen.err;
  const auto report = hap({"report", file, "--format", "json"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  const auto json = report.json();
  ASSERT_FALSE(json.is_discarded());
  EXPECT_GE(json["served"]["requests"].get<int>(), 50);
  EXPECT_EQ(json["served"]["failed"], 0);
  EXPECT_EQ(json["loss"]["events_lost"], 0);
  std::set<std::string> layers;
  for (const auto& layer : json["layers"]) layers.insert(layer["name"].get<std::string>());
  for (const char* expected : {"application", "guest-kernel", "host-kernel", "hypervisor"}) {
    EXPECT_TRUE(layers.contains(expected)) << expected;
  }
  std::set<std::string> hypervisor;
  std::set<std::string> kernel;
  for (const auto& function : json["functions"]) {
    const std::string name = function["name"].get<std::string>();
    if (function["layer"] == "hypervisor") hypervisor.insert(name);
    if (function["layer"] == "host-kernel") kernel.insert(name);
  }
  EXPECT_TRUE(hypervisor.contains("pv_hypercall")) << "what every guest goes through";
  EXPECT_TRUE(hypervisor.contains("do_grant_table_op") || hypervisor.contains("do_event_channel_op"));
  EXPECT_TRUE(kernel.contains("xenvif_kthread_guest_rx")) << "netback's thread works for the guest";
  EXPECT_FALSE(kernel.contains("pv_hypercall"));

  const auto recording = Recording::open(file);
  ASSERT_TRUE(recording) << recording.error().to_string();
  std::set<Space> spaces;
  for (const auto& image : recording->header().images) spaces.insert(image.space);
  EXPECT_TRUE(spaces.contains(Space::host) && spaces.contains(Space::guest) &&
              spaces.contains(Space::hypervisor));
  bool vcpu = false;
  for (const auto& task : recording->header().tasks) vcpu = vcpu || task.space == Space::guest;
  EXPECT_TRUE(vcpu) << "the guest's virtual processor is somebody";
  for (const auto& loss : recording->header().losses) {
    EXPECT_NE(loss.kind, "switch_mismatch") << loss.count;
  }
}

}  // namespace
}  // namespace hap::testing
