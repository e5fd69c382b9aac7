#include "cli/health.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/paths.h"
#include "base/progress.h"
#include "base/subprocess.h"
#include "collect/ftrace/instance.h"
#include "collect/traceable.h"
#include "lab/accelerators.h"
#include "lab/lab.h"
#include "lab/qemu.h"
#include "live/collectors.h"
#include "sandbox/catalogue.h"

namespace hap::cli {

std::string_view to_string(Health health) {
  switch (health) {
    case Health::works:
      return "works";
    case Health::limited:
      return "limited";
    case Health::missing:
      return "missing";
  }
  return "missing";
}

namespace {

using Findings = std::vector<Finding>;

void examine_program(Findings& out, const std::string& name, const std::string& package,
                     const std::string& why) {
  if (const auto path = find_program(name)) {
    out.push_back({"lab", name, Health::works, *path, ""});
  } else {
    out.push_back({"lab", name, Health::missing, why, "install the package " + package});
  }
}

void examine_companion(Findings& out, const std::string& file, const std::string& why) {
  if (const auto path = companion(file)) {
    out.push_back({"lab", file, Health::works, *path, ""});
  } else {
    out.push_back({"lab", file, Health::missing, why, path.error().hint()});
  }
}

bool examine_lab(Findings& out, const CancelToken& cancel) {
  const auto qemu = lab::find_qemu();
  if (qemu) {
    out.push_back(
        {"lab", "qemu", Health::works, fmt::format("version {} at {}", qemu->text, qemu->path), ""});
  } else {
    out.push_back({"lab", "qemu", Health::missing, qemu.error().to_string(), qemu.error().hint()});
  }
  examine_program(out, "mmdebstrap", "mmdebstrap", "needed to build the lab's Debian root");
  examine_program(out, "mke2fs", "e2fsprogs", "needed to build the lab's file systems");
  examine_companion(out, "hap-agent", "the program that runs inside the lab machine was not built");
  examine_companion(out, "libhap-emulator.so", "QEMU's plugin, the emulator collector, was not built");
  NoProgress silent;
  const auto lab = lab::open_lab({}, silent, cancel);
  if (lab) {
    out.push_back({"lab", "lab machine", Health::works, "built and checkpointed", ""});
  } else {
    out.push_back({"lab", "lab machine", Health::missing, lab.error().to_string(), lab.error().hint()});
  }
  return qemu.ok() && lab.ok();
}

void examine_accelerators(Findings& out, const CancelToken& cancel) {
  for (const auto& probe : lab::probe_accelerators(cancel)) {
    Finding finding{"accelerator", probe.name, probe.usable ? Health::works : Health::missing, probe.why_not,
                    ""};
    if (probe.usable) finding.why = fmt::format("tried for {:.1f} s", probe.seconds);
    if (!probe.usable && probe.name == "kvm") {
      finding.why += "; the emulator collector does not need it";
    }
    out.push_back(std::move(finding));
  }
}

std::string first_line(const std::string& path) {
  const auto text = read_file(path, 1 << 16);
  return text ? text->substr(0, text->find('\n')) : "";
}

// "[none] integrity confidentiality" -> "none"; empty when the kernel has no lockdown.
std::string lockdown_mode() {
  const std::string modes = first_line("/sys/kernel/security/lockdown");
  const auto open = modes.find('[');
  const auto close = modes.find(']');
  return open == std::string::npos || close == std::string::npos ? ""
                                                                 : modes.substr(open + 1, close - open - 1);
}

void examine_collectors(Findings& out, bool lab_works) {
  Finding emulator{
      "collector", "emulator", lab_works ? Health::works : Health::missing,
      lab_works ? "exact, in the lab machine, without any tracing privilege" : "the lab does not work yet",
      lab_works ? "" : "see the findings above"};
  out.push_back(std::move(emulator));
  // Whatever a killed hap left in the kernel goes first.
  const auto tracefs = collect::find_tracefs();
  const size_t stale = tracefs ? collect::remove_stale_instances(*tracefs) : 0;
  for (const auto& named : live::live_collectors()) {
    const auto collector = live::make_collector(named.name);
    if (!collector) continue;
    const auto probe = (*collector)->probe();
    Finding finding{"collector", named.name, probe.usable ? Health::works : Health::missing,
                    probe.usable ? "tried on this machine, for `hap record`" : probe.why_not, probe.hint};
    if (named.name == "ftrace" && stale > 0) {
      finding.why += fmt::format("; removed {} tracing instances that a killed hap left behind", stale);
    }
    out.push_back(std::move(finding));
  }
}

// The lab machine's root is made of Debian's packages: a program that is in none of them is not there.
std::string in_no_package(const sandbox::Entry& entry) {
  std::string why;
  for (const auto& required : entry.requirements) {
    if (required.kind != sandbox::Requirement::Kind::program || !required.package.empty()) continue;
    why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", required.what, required.why);
  }
  return why;
}

void examine_sandboxes(Findings& out, bool lab_works) {
  for (const auto& entry : sandbox::catalogue()) {
    const Status machine =
        entry.hypervisor.empty() ? Status() : lab::check_built(lab::on_hypervisor({}, entry.hypervisor));
    if (!entry.unavailable.empty()) {
      out.push_back({"sandbox", entry.name, Health::missing, entry.unavailable, ""});
    } else if (const auto why = in_no_package(entry); !why.empty()) {
      out.push_back({"sandbox", entry.name, Health::missing, why, ""});
    } else if (lab_works && !machine) {
      out.push_back(
          {"sandbox", entry.name, Health::missing, machine.error().to_string(), machine.error().hint()});
    } else {
      out.push_back({"sandbox", entry.name, lab_works ? Health::works : Health::missing,
                     lab_works ? "in the lab machine" : "the lab does not work yet",
                     lab_works ? "" : "hap lab build"});
    }
  }
}

void examine_host(Findings& out) {
  struct utsname names {};
  ::uname(&names);
  const std::string lockdown = lockdown_mode();
  const bool root = ::geteuid() == 0;
  Finding tracing{"host", "kernel tracing", Health::works, fmt::format("Linux {}", names.release), ""};
  if (lockdown == "confidentiality") {
    tracing.health = Health::missing;
    tracing.why +=
        ", locked down (confidentiality): function tracing, kprobes and BPF are forbidden even to root";
    tracing.remedy = "measure in the lab machine (`hap measure`), or boot without lockdown";
  } else if (!root) {
    tracing.health = Health::limited;
    tracing.why += ", but tracing needs root";
    tracing.remedy = "run as root for live measurement; the lab needs no root";
  }
  out.push_back(std::move(tracing));
  const bool unified = ::access("/sys/fs/cgroup/cgroup.controllers", R_OK) == 0;
  out.push_back({"host", "cgroup v2", unified ? Health::works : Health::limited,
                 unified ? "mounted at /sys/fs/cgroup" : "not mounted as the only hierarchy", ""});
}

}  // namespace

std::vector<Finding> examine(bool quick, const CancelToken& cancel) {
  Findings findings;
  const bool lab_works = examine_lab(findings, cancel);
  if (!quick && find_program(lab::kQemuProgram)) examine_accelerators(findings, cancel);
  examine_collectors(findings, lab_works);
  examine_sandboxes(findings, lab_works);
  examine_host(findings);
  return findings;
}

}  // namespace hap::cli
