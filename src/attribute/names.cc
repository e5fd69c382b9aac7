// Names of the enumerations of hap/profile.h, as reports and files show them.
#include "base/named_values.h"
#include "hap/profile.h"

namespace hap {
namespace {

constexpr NamedValues<Layer, 6> layers{{{Layer::application, "application"},
                                        {Layer::sandbox, "sandbox"},
                                        {Layer::guest_kernel, "guest-kernel"},
                                        {Layer::host_daemon, "host-daemon"},
                                        {Layer::host_kernel, "host-kernel"},
                                        {Layer::hypervisor, "hypervisor"}}};
constexpr NamedValues<Context, 6> contexts{{{Context::task, "task"},
                                            {Context::vcpu, "vcpu"},
                                            {Context::kthread, "kthread"},
                                            {Context::softirq, "softirq"},
                                            {Context::hardirq, "hardirq"},
                                            {Context::nmi, "nmi"}}};
constexpr NamedValues<Role, 6> roles{{{Role::none, "none"},
                                      {Role::application, "application"},
                                      {Role::sandbox, "sandbox"},
                                      {Role::vcpu, "vcpu"},
                                      {Role::host_daemon, "host-daemon"},
                                      {Role::load, "load"}}};
constexpr NamedValues<Standing, 6> standings{{{Standing::own, "own"},
                                              {Standing::softirq, "softirq"},
                                              {Standing::interrupt, "interrupt"},
                                              {Standing::daemon, "daemon"},
                                              {Standing::load, "load"},
                                              {Standing::outside, "outside"}}};

}  // namespace

std::string_view to_string(Layer layer) {
  return name_of(layers, layer);
}
std::string_view to_string(Context context) {
  return name_of(contexts, context);
}
std::string_view to_string(Role role) {
  return name_of(roles, role);
}
std::string_view to_string(Standing standing) {
  return name_of(standings, standing);
}
std::optional<Layer> layer_from(std::string_view name) {
  return value_of(layers, name);
}
std::optional<Context> context_from(std::string_view name) {
  return value_of(contexts, name);
}
std::optional<Role> role_from(std::string_view name) {
  return value_of(roles, name);
}

}  // namespace hap
