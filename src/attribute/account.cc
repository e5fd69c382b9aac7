#include "attribute/account.h"

namespace hap::attribute {
namespace {

// On whose behalf, apart from whose code it is.
struct Behalf {
  Role role = Role::none;
  Standing standing = Standing::outside;
  Context context = Context::task;
};

Standing standing_of(Role role) {
  if (is_inside(role)) return Standing::own;
  if (role == Role::host_daemon) return Standing::daemon;
  return role == Role::load ? Standing::load : Standing::outside;
}

Context own_context(const Task& task, Role role) {
  if (task.kernel_thread) return Context::kthread;
  return role == Role::vcpu ? Context::vcpu : Context::task;
}

// The role of whoever the deferred work is done for, where the recording names one.
std::optional<Role> owner_role(const Actor& actor, const Scope& scope) {
  switch (actor.owner_kind) {
    case OwnerKind::work:
    case OwnerKind::rcu:
      return actor.owner_task == 0 ? std::nullopt : std::optional(scope.role_of_task(actor.owner_task));
    case OwnerKind::socket:
      return scope.role_of_cgroup(actor.owner_name);
    case OwnerKind::netdev:
      return scope.role_of_netdev(actor.owner_name);
    case OwnerKind::none:
    case OwnerKind::emulation:
      break;
  }
  return std::nullopt;
}

Behalf of_process(const Actor& actor, const Task& task, Role current, std::optional<Role> owner) {
  const bool receives = actor.owner_kind == OwnerKind::socket || actor.owner_kind == OwnerKind::netdev;
  if (owner && receives) {
    // Receive processing in a thread of its own (threaded NAPI): softirq work in all but name.
    const Standing standing = is_inside(*owner) ? Standing::softirq : standing_of(*owner);
    return {*owner, standing, Context::softirq};
  }
  const Role role = owner.value_or(current);
  return {role, standing_of(role), own_context(task, current)};
}

Behalf of_softirq(const Actor& actor, Role current, std::optional<Role> owner) {
  const bool queued = actor.owner_kind == OwnerKind::work || actor.owner_kind == OwnerKind::rcu;
  if (owner && is_inside(*owner)) return {*owner, Standing::softirq, Context::softirq};
  // A callback that somebody else queued is theirs, whoever happens to run it.
  if (owner && queued) return {*owner, standing_of(*owner), Context::softirq};
  if (actor.cause == Cause::softirq_bh) {
    const Standing standing = is_inside(current) ? Standing::softirq : standing_of(current);
    return {current, standing, Context::softirq};
  }
  if (is_inside(current)) return {current, Standing::interrupt, Context::softirq};
  return {current, current == Role::load ? Standing::load : Standing::outside, Context::softirq};
}

Behalf behalf_of(const Actor& actor, const Task& task, const Scope& scope) {
  const Role current = scope.role_of_task(task.id);
  const auto owner = owner_role(actor, scope);
  switch (actor.cause) {
    case Cause::process:
      return of_process(actor, task, current, owner);
    case Cause::softirq_bh:
    case Cause::softirq:
      return of_softirq(actor, current, owner);
    case Cause::hardirq:
    case Cause::nmi:
      break;
  }
  const Context context = actor.cause == Cause::nmi ? Context::nmi : Context::hardirq;
  if (is_inside(current)) return {current, Standing::interrupt, context};
  return {current, current == Role::load ? Standing::load : Standing::outside, context};
}

bool is_kernel_code(ImageKind kind) {
  return kind == ImageKind::kernel || kind == ImageKind::module || kind == ImageKind::bpf ||
         kind == ImageKind::trampoline;
}

Layer layer_of(const Image& image, Role role, const Scope& scope) {
  if (image.kind == ImageKind::hypervisor || image.space == Space::hypervisor) return Layer::hypervisor;
  if (image.space == Space::guest) {
    return is_kernel_code(image.kind) ? Layer::guest_kernel : Layer::application;
  }
  // All that a host daemon does, in the kernel too: so host-kernel is the tenant's share alone, and layer,
  // context and phase decide what belongs to the HAP.
  if (role == Role::host_daemon) return Layer::host_daemon;
  if (is_kernel_code(image.kind)) return Layer::host_kernel;
  const Role named = scope.role_of_image(image.path);
  const Role decides = named == Role::none ? role : named;
  if (decides == Role::host_daemon) return Layer::host_daemon;
  return decides == Role::sandbox || decides == Role::vcpu ? Layer::sandbox : Layer::application;
}

}  // namespace

Account account_of(const Actor& actor, const Task& task, const Image& image, const Scope& scope) {
  const Behalf behalf = behalf_of(actor, task, scope);
  Account account;
  account.layer = layer_of(image, behalf.role, scope);
  account.context = behalf.context;
  account.role = behalf.role;
  account.standing = behalf.standing;
  account.emulation = actor.owner_kind == OwnerKind::emulation;
  return account;
}

}  // namespace hap::attribute

namespace hap {

bool counts_as_hap(const Account& account, const HapOptions& options) {
  if (account.layer != Layer::host_kernel && account.layer != Layer::hypervisor) return false;
  if (account.emulation && !options.with_emulation) return false;
  return account.standing == Standing::own || (options.with_softirq && account.standing == Standing::softirq);
}

bool counts_as_vap(const Account& account) {
  return account.standing == Standing::own || account.standing == Standing::softirq ||
         account.standing == Standing::daemon;
}

bool counts_as_stage1(const Account& account) {
  return account.layer == Layer::sandbox && account.standing == Standing::own;
}

bool counts_as_stage2(const Account& account) {
  return counts_as_hap(account) && (account.role == Role::sandbox || account.role == Role::vcpu);
}

}  // namespace hap
