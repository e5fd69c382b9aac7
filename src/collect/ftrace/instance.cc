#include "collect/ftrace/instance.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>

#include "base/file.h"

namespace hap::collect {
namespace {

constexpr std::string_view name_prefix = "hapmeter-";
// tracefs takes at most a page per write, and must not be given half a word.
constexpr size_t largest_write = 4000;

template <typename Number>
std::optional<Number> decimal(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Status write_all(const std::string& path, int flags, std::string_view text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags));
  if (!file.valid()) return explain_refusal("cannot open a tracing control", errno).context(path);
  while (!text.empty()) {
    std::string_view part = text.substr(0, largest_write);
    if (part.size() < text.size()) part = part.substr(0, part.rfind('\n') + 1);
    if (part.empty()) return Error("a line is too long for a tracing control").at(path);
    const ssize_t count = ::write(file.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return explain_refusal("cannot change a tracing control", errno).context(path);
    text.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

}  // namespace

bool tracing_is_locked_down() {
  // "none integrity [confidentiality]"
  const auto modes = read_file("/sys/kernel/security/lockdown", 1 << 10);
  return modes && modes->find("[confidentiality]") != std::string::npos;
}

Error explain_refusal(const std::string& what, int err) {
  Error error = Error::from_errno(what, err).of_kind(ErrorKind::unsupported);
  if (err == EBUSY) {
    return std::move(error).hint(
        "another tracer is in use that does not share: see current_tracer in /sys/kernel/tracing");
  }
  if (err != EPERM && err != EACCES && err != EROFS) return error;
  if (tracing_is_locked_down()) {
    return std::move(error).hint(
        "the kernel is locked down (confidentiality), which forbids tracing even to root: boot without "
        "lockdown, or measure in the lab machine (`hap measure`)");
  }
  if (err == EROFS) {
    return std::move(error).hint("tracefs is mounted read-only here: mount it writable into the container");
  }
  return std::move(error).hint(
      "run as root, or with the capabilities that docs/live.md names; in a container, mount the host's "
      "/sys/kernel/tracing into it");
}

std::optional<uint64_t> process_start_ticks(pid_t pid) {
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 1 << 12);
  if (!stat) return std::nullopt;
  // The second field is the name in parentheses, which may hold anything.
  size_t at = stat->rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat->find(' ', at + 1);
  if (at == std::string::npos) return std::nullopt;
  const size_t end = stat->find(' ', at + 1);
  return decimal<uint64_t>(std::string_view(*stat).substr(at + 1, end - at - 1));
}

std::optional<InstanceName> parse_instance_name(std::string_view name) {
  if (name.substr(0, name_prefix.size()) != name_prefix) return std::nullopt;
  name.remove_prefix(name_prefix.size());
  const size_t dash = name.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto pid = decimal<pid_t>(name.substr(0, dash));
  name.remove_prefix(dash + 1);
  const auto start = decimal<uint64_t>(name.substr(0, name.find('-')));
  if (!pid || *pid <= 0 || !start) return std::nullopt;
  return InstanceName{*pid, *start};
}

Result<TraceInstance> TraceInstance::create(const std::string& tracefs, std::string_view purpose) {
  const auto start = process_start_ticks(::getpid());
  if (!start) return Error("cannot read this process's own start time").at("/proc/self/stat");
  std::string folder = fmt::format("{}/instances/{}{}-{}", tracefs, name_prefix, ::getpid(), *start);
  if (!purpose.empty()) folder += fmt::format("-{}", purpose);
  if (::mkdir(folder.c_str(), 0700) != 0) {
    return explain_refusal("cannot make a private tracing instance", errno).context(folder);
  }
  return TraceInstance(std::move(folder));
}

TraceInstance::TraceInstance(TraceInstance&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}

TraceInstance::~TraceInstance() {
  (void)remove();
}

Status TraceInstance::write(const std::string& file, std::string_view text) const {
  return write_all(folder_ + "/" + file, O_TRUNC, text);
}

Status TraceInstance::append(const std::string& file, std::string_view text) const {
  return write_all(folder_ + "/" + file, O_APPEND, text);
}

Result<std::string> TraceInstance::read(const std::string& file) const {
  return read_file(folder_ + "/" + file);
}

Status TraceInstance::remove() {
  if (folder_.empty()) return {};
  const std::string folder = std::exchange(folder_, {});
  // The kernel stops its events and tracer with the folder; stopping first makes that quick.
  (void)write_all(folder + "/tracing_on", 0, "0");
  if (::rmdir(folder.c_str()) != 0 && errno != ENOENT) {
    return Error::from_errno("cannot remove the tracing instance", errno)
        .at(folder)
        .hint("the next `hap` tries again; somebody else has its files open");
  }
  return {};
}

size_t remove_stale_instances(const std::string& tracefs) {
  const std::string parent = tracefs + "/instances";
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(parent.c_str()), ::closedir);
  if (!folder) return 0;
  std::vector<std::string> stale;
  while (const dirent* entry = ::readdir(folder.get())) {
    const auto maker = parse_instance_name(entry->d_name);
    if (maker && process_start_ticks(maker->pid) != maker->start_ticks) stale.emplace_back(entry->d_name);
  }
  return static_cast<size_t>(std::count_if(stale.begin(), stale.end(), [&](const std::string& name) {
    const std::string path = parent + "/" + name;
    (void)write_all(path + "/tracing_on", 0, "0");
    return ::rmdir(path.c_str()) == 0;
  }));
}

}  // namespace hap::collect
