#include "sandbox/oci_spec.h"

namespace hap::sandbox {
namespace {

using nlohmann::json;

json mount_row(const char* where, const char* type, const char* source, std::vector<std::string> options) {
  return {{"destination", where}, {"type", type}, {"source", source}, {"options", std::move(options)}};
}

json mounts() {
  return json::array({
      mount_row("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
      mount_row("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount_row("/dev/pts", "devpts", "devpts",
                {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      mount_row("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
      mount_row("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid", "noexec", "nodev"}),
      mount_row("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      mount_row("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
  });
}

json process(const OciPlan& plan) {
  json env = json::array();
  for (const auto& [name, value] : plan.env) env.push_back(name + "=" + value);
  if (plan.env.count("PATH") == 0) {
    env.push_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  }
  json capabilities;
  // No ambient set: a root process needs none, and Docker gives none.
  for (const char* set : {"bounding", "effective", "permitted"}) capabilities[set] = plan.capabilities;
  return {{"terminal", false},
          {"user", {{"uid", plan.uid}, {"gid", plan.uid}}},
          {"args", plan.argv},
          {"env", env},
          {"cwd", plan.working_dir},
          {"capabilities", capabilities},
          {"oomScoreAdj", 0},
          {"rlimits", json::array({{{"type", "RLIMIT_NOFILE"}, {"hard", 1048576}, {"soft", 1048576}}})},
          {"noNewPrivileges", plan.no_new_privileges}};
}

json namespaces(const OciPlan& plan) {
  json rows = json::array();
  for (const char* type : {"mount", "uts", "pid", "ipc", "cgroup"}) rows.push_back({{"type", type}});
  rows.push_back({{"type", "network"}, {"path", plan.netns}});
  if (plan.user_namespace) rows.push_back({{"type", "user"}});
  return rows;
}

// Character devices every container may use: null, zero, full, random, urandom, tty, console, ptmx, pts.
json device_rules() {
  json rows = json::array({{{"allow", false}, {"access", "rwm"}},
                           {{"allow", true}, {"type", "c"}, {"access", "m"}},
                           {{"allow", true}, {"type", "b"}, {"access", "m"}}});
  const int numbers[][2] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}};
  for (const auto& [major, minor] : numbers) {
    rows.push_back({{"allow", true}, {"type", "c"}, {"major", major}, {"minor", minor}, {"access", "rwm"}});
  }
  rows.push_back({{"allow", true}, {"type", "c"}, {"major", 136}, {"access", "rwm"}});
  return rows;
}

}  // namespace

const std::vector<std::string>& docker_capabilities() {
  static const std::vector<std::string> list{
      "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
      "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
      "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
      "CAP_KILL",    "CAP_AUDIT_WRITE"};
  return list;
}

json oci_configuration(const OciPlan& plan) {
  json linux_part{
      {"cgroupsPath", plan.cgroup},
      {"namespaces", namespaces(plan)},
      {"resources", {{"devices", device_rules()}}},
      {"maskedPaths",
       {"/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap"}},
      {"readonlyPaths", {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}},
  };
  if (!plan.seccomp.is_null()) linux_part["seccomp"] = plan.seccomp;
  if (plan.user_namespace) {
    const json mapping = json::array({{{"containerID", 0}, {"hostID", 100000}, {"size", 65536}}});
    linux_part["uidMappings"] = mapping;
    linux_part["gidMappings"] = mapping;
  }
  return {{"ociVersion", "1.0.2"},
          {"process", process(plan)},
          {"root", {{"path", plan.rootfs}, {"readonly", false}}},
          {"hostname", "cell"},
          {"mounts", mounts()},
          {"linux", linux_part}};
}

}  // namespace hap::sandbox
