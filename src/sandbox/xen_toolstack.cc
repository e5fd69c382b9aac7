#include "sandbox/xen_toolstack.h"

#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "sandbox/command.h"

namespace hap::sandbox {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* capabilities = "/proc/xen/capabilities";
constexpr const char* store_socket = "/run/xenstored/socket";

std::string without_newline(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Status wait_for_file(const std::string& path) {
  for (int tries = 0; tries < 1500; ++tries) {
    if (::access(path.c_str(), F_OK) == 0) return {};
    std::this_thread::sleep_for(20ms);
  }
  return Error("xenstored did not start", ErrorKind::sandbox).at(path);
}

}  // namespace

bool is_dom0() {
  const auto text = read_file(capabilities);
  return text && text->find("control_d") != std::string::npos;
}

Result<std::string> xen_programs() {
  const auto major = read_file("/sys/hypervisor/version/major");
  const auto minor = read_file("/sys/hypervisor/version/minor");
  if (!major || !minor) {
    return Error("there is no hypervisor beneath this kernel", ErrorKind::unsupported)
        .hint("measure this sandbox with `hap measure`, which boots Xen in the lab machine");
  }
  const std::string version = without_newline(*major) + "." + without_newline(*minor);
  const std::string folder = "/usr/lib/xen-" + version + "/bin";
  if (::access((folder + "/xl").c_str(), X_OK) != 0) {
    return Error("the tools of Xen " + version + " are missing", ErrorKind::unsupported)
        .at(folder)
        .hint("install the package xen-utils-" + version);
  }
  return folder;
}

Status start_dom0() {
  HAP_TRY(programs, xen_programs());
  if (!is_dom0() && ::mount("xenfs", "/proc/xen", "xenfs", 0, "") != 0) {
    return Error::from_errno("mounting Xen's file system", errno);
  }
  if (!is_dom0()) return Error("this kernel is not Xen's dom0", ErrorKind::unsupported).at(capabilities);
  for (const char* folder : {"/run/lock", "/run/xen", "/run/xenstored", "/var/lib/xen", "/var/lib/xen/dump",
                             "/var/lib/xenstored", "/var/log/xen", xen_console_folder}) {
    HAP_CHECK(make_dirs(folder));
  }
  const std::string log = std::string(xen_console_folder) + "/daemons.log";
  HAP_CHECK(run_detaching({programs + "/xenstored", "--pid-file", "/run/xen/xenstored.pid"}, log));
  HAP_CHECK(wait_for_file(store_socket));
  HAP_CHECK(run_command({programs + "/xen-init-dom0"}));
  return run_detaching({programs + "/xenconsoled", "--pid-file=/run/xen/xenconsoled.pid", "--log=guest",
                        std::string("--log-dir=") + xen_console_folder},
                       log);
}

Result<std::optional<int>> domain_id(const std::string& name) {
  HAP_TRY(programs, xen_programs());
  const std::string text = first_line_of({programs + "/xl", "domid", name});
  int id = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id);
  // Otherwise it says that the name is that of no domain.
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::optional<int>();
  return std::optional<int>(id);
}

bool is_backend_thread(const std::string& comm, int domain) {
  const std::string number = std::to_string(domain);
  // drivers/net/xen-netback/interface.c and drivers/block/xen-blkback/xenbus.c
  return comm.starts_with("vif" + number + ".") || comm.starts_with(number + ".");
}

std::vector<std::string> backend_threads(int domain) {
  std::vector<std::string> names;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator("/proc", code)) {
    const std::string process = entry.path().filename().string();
    if (process.empty() || process[0] < '0' || process[0] > '9') continue;
    const auto line = read_file(entry.path().string() + "/cmdline");
    const auto comm = read_file(entry.path().string() + "/comm");
    // A kernel thread has no command line.
    if (!line || !line->empty() || !comm) continue;
    const std::string name = without_newline(*comm);
    if (is_backend_thread(name, domain)) names.push_back(name);
  }
  return names;
}

}  // namespace hap::sandbox
