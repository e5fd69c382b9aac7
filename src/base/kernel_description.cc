#include "base/kernel_description.h"

#include <sys/utsname.h>

#include <filesystem>
#include <sstream>

#include "base/checked_reader.h"
#include "base/file.h"

namespace hap {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t note_build_id = 3;  // NT_GNU_BUILD_ID

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string first_line(const std::string& path) {
  const auto text = read_file(path, 1 << 20);
  return text ? text->substr(0, text->find('\n')) : std::string();
}

std::string build_id_at(const std::string& path) {
  const auto notes = read_file(path, 1 << 20);
  return notes ? build_id_of_notes(*notes) : std::string();
}

// Every file in a folder: name to first line.
std::map<std::string, std::string> lines_in(const std::string& folder) {
  std::map<std::string, std::string> lines;
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    lines[entry->path().filename().string()] = first_line(entry->path().string());
  }
  return lines;
}

// One row of /proc/modules: name size references users state address.
std::vector<KernelModule> modules() {
  std::vector<KernelModule> rows;
  const auto text = read_file("/proc/modules", 1 << 24);
  std::istringstream lines(text ? *text : "");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    KernelModule module;
    std::string references, users, state;
    if (!(fields >> module.name >> module.size >> references >> users >> state >> module.address)) continue;
    const std::string folder = "/sys/module/" + module.name;
    module.sections = lines_in(folder + "/sections");
    module.build_id = build_id_at(folder + "/notes/.note.gnu.build-id");
    rows.push_back(std::move(module));
  }
  return rows;
}

std::string cpu_flags() {
  const auto text = read_file("/proc/cpuinfo", 1 << 24);
  const size_t at = text ? text->find("\nflags") : std::string::npos;
  const size_t colon = at == std::string::npos ? at : text->find(": ", at);
  if (colon == std::string::npos) return "";
  return text->substr(colon + 2, text->find('\n', colon) - colon - 2);
}

}  // namespace

std::string build_id_of_notes(std::string_view notes) {
  const auto padding = [](uint32_t size) { return (4 - size % 4) % 4; };
  for (CheckedReader reader(notes); reader.remaining() >= 12;) {
    const auto name_size = reader.read<uint32_t>();
    const auto contents_size = reader.read<uint32_t>();
    const auto type = reader.read<uint32_t>();
    const std::string_view name = reader.read_bytes(name_size);
    reader.skip(padding(name_size));
    const std::string_view contents = reader.read_bytes(contents_size);
    if (!reader.ok()) break;
    if (type == note_build_id && name == std::string_view("GNU\0", 4)) return to_hex(contents);
    reader.skip(padding(contents_size));
  }
  return "";
}

KernelDescription describe_kernel() {
  utsname name{};
  ::uname(&name);
  const std::string clock = "/sys/devices/system/clocksource/clocksource0/";
  KernelDescription kernel;
  kernel.release = name.release;
  kernel.version = name.version;
  kernel.build_id = build_id_at("/sys/kernel/notes");
  kernel.cmdline = first_line("/proc/cmdline");
  kernel.cpu_flags = cpu_flags();
  kernel.vulnerabilities = lines_in("/sys/devices/system/cpu/vulnerabilities");
  kernel.clocksource = first_line(clock + "current_clocksource");
  kernel.clocksources = first_line(clock + "available_clocksource");
  kernel.modules = modules();
  return kernel;
}

}  // namespace hap
