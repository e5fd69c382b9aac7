#include <gtest/gtest.h>

#include "sandbox/catalogue.h"
#include "sandbox/xen_toolstack.h"

namespace hap::sandbox {
namespace {

TEST(Xen, BackendThreadsAreTheDomainsOwn) {
  EXPECT_TRUE(is_backend_thread("vif3.0-q0-guest-rx", 3));
  EXPECT_TRUE(is_backend_thread("vif3.0-q0-dealloc", 3));
  EXPECT_TRUE(is_backend_thread("3.xvda-0", 3));
  EXPECT_FALSE(is_backend_thread("vif31.0-q0-guest-rx", 3)) << "another domain whose number begins alike";
  EXPECT_FALSE(is_backend_thread("31.xvda-0", 3));
  EXPECT_FALSE(is_backend_thread("kworker/3:1", 3));
  EXPECT_FALSE(is_backend_thread("xenwatch", 3));
}

TEST(Xen, OnlyItsRowNeedsAHypervisor) {
  for (const auto& entry : catalogue()) {
    EXPECT_EQ(entry.hypervisor, entry.name == "xen-pv" ? "xen" : "") << entry.name;
  }
  EXPECT_TRUE(make_sandbox("xen-pv", Options{}));
}

TEST(Xen, ElsewhereTheToolsSayWhatIsMissing) {
  if (is_dom0()) GTEST_SKIP() << "this machine is Xen's dom0";
  const auto programs = xen_programs();
  ASSERT_FALSE(programs);
  EXPECT_EQ(programs.error().kind(), ErrorKind::unsupported);
  EXPECT_FALSE(programs.error().hint().empty());
}

}  // namespace
}  // namespace hap::sandbox
