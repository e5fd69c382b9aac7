#include "lab/spec.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace hap::lab {
namespace {

bool is_plain_name(const std::string& text) {
  return !text.empty() && text.size() < 100 && text[0] != '-' && text[0] != '.' &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '+';
         });
}

// With features behind it, as QEMU takes them: Haswell-v1,-avx2
bool is_model_name(const std::string& text) {
  return !text.empty() && text.size() < 200 && std::isalnum(static_cast<unsigned char>(text[0])) != 0 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || (c != 0 && std::strchr("-_.,+=", c) != nullptr);
         });
}

bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

Error usage(const std::string& message) {
  return Error(message, ErrorKind::usage);
}

}  // namespace

Status check_spec(const LabSpec& spec) {
  if (!is_plain_name(spec.suite)) {
    return usage("`" + spec.suite + "` is no name of a Debian suite")
        .hint("name one, for example trixie or bookworm");
  }
  if (!is_plain_name(spec.kernel)) {
    return usage("`" + spec.kernel + "` is no kernel")
        .hint("name `cloud`, `full` or a package linux-image-...");
  }
  if (spec.kernel != "cloud" && spec.kernel != "full" && spec.kernel.rfind("linux-image-", 0) != 0) {
    return usage("there is no kernel `" + spec.kernel + "`")
        .hint("name `cloud`, `full` or a package linux-image-...");
  }
  if (!spec.hypervisor.empty() && spec.hypervisor != "xen") {
    return usage("there is no hypervisor `" + spec.hypervisor + "`").hint("name `xen`, or none");
  }
  if (!spec.hypervisor.empty() && spec.kernel == "cloud") {
    return usage("the cloud kernel cannot be Xen's dom0").hint("name `full`");
  }
  // The emulator's plugin follows one processor's domains.
  if (!spec.hypervisor.empty() && spec.processors != 1) {
    return usage("the lab machine with a hypervisor has one processor");
  }
  if (!is_model_name(spec.cpu)) {
    return usage("`" + spec.cpu + "` is no processor model")
        .hint("name one of `qemu-system-x86_64 -cpu help`, for example max, qemu64 or Haswell");
  }
  if (spec.processors < 1 || spec.processors > 16) return usage("the lab machine has 1 to 16 processors");
  if (spec.memory_mib < 512 || spec.memory_mib > 65536)
    return usage("the lab machine has 512 to 65536 MiB of memory");
  if (!is_printable(spec.icount) || spec.icount.find(' ') != std::string::npos) {
    return usage("`" + spec.icount + "` is no instruction clock").hint("use for example shift=2,sleep=off");
  }
  if (!is_printable(spec.kernel_parameters))
    return usage("the kernel parameters hold unprintable characters");
  if (!is_printable(spec.mirror) || spec.mirror.find_first_of(" []") != std::string::npos) {
    return usage("`" + spec.mirror + "` is no address of a mirror");
  }
  return {};
}

std::string kernel_package(const LabSpec& spec) {
  if (spec.kernel == "cloud") return "linux-image-cloud-amd64";
  if (spec.kernel == "full") return "linux-image-amd64";
  return spec.kernel;
}

LabSpec on_hypervisor(LabSpec spec, const std::string& hypervisor) {
  spec.hypervisor = hypervisor;
  if (!hypervisor.empty() && spec.kernel == "cloud") spec.kernel = "full";
  return spec;
}

std::string spec_options(const LabSpec& spec) {
  std::string options;
  if (spec.suite != LabSpec().suite) options += " --suite " + spec.suite;
  if (spec.kernel != on_hypervisor(LabSpec(), spec.hypervisor).kernel) options += " --kernel " + spec.kernel;
  if (!spec.hypervisor.empty()) options += " --hypervisor " + spec.hypervisor;
  return options;
}

}  // namespace hap::lab
