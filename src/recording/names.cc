// Stored names of the enumerations of hap/recording.h.
#include "base/named_values.h"
#include "hap/recording.h"

namespace hap {
namespace {

constexpr NamedValues<ImageKind, 10> image_kinds{{{ImageKind::kernel, "kernel"},
                                                  {ImageKind::module, "module"},
                                                  {ImageKind::user, "user"},
                                                  {ImageKind::hypervisor, "hypervisor"},
                                                  {ImageKind::vdso, "vdso"},
                                                  {ImageKind::bpf, "bpf"},
                                                  {ImageKind::trampoline, "trampoline"},
                                                  {ImageKind::jit, "jit"},
                                                  {ImageKind::memfd, "memfd"},
                                                  {ImageKind::other, "other"}}};
constexpr NamedValues<Space, 3> spaces{
    {{Space::host, "host"}, {Space::guest, "guest"}, {Space::hypervisor, "hypervisor"}}};
constexpr NamedValues<Cause, 5> causes{{{Cause::process, "process"},
                                        {Cause::softirq_bh, "softirq_bh"},
                                        {Cause::softirq, "softirq"},
                                        {Cause::hardirq, "hardirq"},
                                        {Cause::nmi, "nmi"}}};
constexpr NamedValues<OwnerKind, 6> owner_kinds{{{OwnerKind::none, "none"},
                                                 {OwnerKind::work, "work"},
                                                 {OwnerKind::rcu, "rcu"},
                                                 {OwnerKind::socket, "socket"},
                                                 {OwnerKind::netdev, "netdev"},
                                                 {OwnerKind::emulation, "emulation"}}};
constexpr NamedValues<Phase, 3> phases{
    {{Phase::setup, "setup"}, {Phase::serve, "serve"}, {Phase::teardown, "teardown"}}};

}  // namespace

std::string_view to_string(ImageKind kind) {
  return name_of(image_kinds, kind);
}
std::string_view to_string(Space space) {
  return name_of(spaces, space);
}
std::string_view to_string(Cause cause) {
  return name_of(causes, cause);
}
std::string_view to_string(OwnerKind kind) {
  return name_of(owner_kinds, kind);
}
std::string_view to_string(Phase phase) {
  return name_of(phases, phase);
}
std::optional<ImageKind> image_kind_from(std::string_view name) {
  return value_of(image_kinds, name);
}
std::optional<Space> space_from(std::string_view name) {
  return value_of(spaces, name);
}
std::optional<Cause> cause_from(std::string_view name) {
  return value_of(causes, name);
}
std::optional<OwnerKind> owner_kind_from(std::string_view name) {
  return value_of(owner_kinds, name);
}
std::optional<Phase> phase_from(std::string_view name) {
  return value_of(phases, name);
}

}  // namespace hap
