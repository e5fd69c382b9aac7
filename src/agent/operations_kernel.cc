#include <sys/utsname.h>

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "agent/operations.h"
#include "base/file.h"

namespace hap::agent {
namespace {

namespace fs = std::filesystem;

std::string to_hex(std::string_view bytes) {
  std::string text;
  char two[3];
  for (unsigned char byte : bytes) {
    std::snprintf(two, sizeof two, "%02x", byte);
    text += two;
  }
  return text;
}

std::string first_line(const std::string& path) {
  auto text = read_file(path);
  return text ? text->substr(0, text->find('\n')) : std::string();
}

// The GNU build id out of a file of ELF notes (header of three 32-bit words, name, contents, each padded
// to four bytes), or "".
std::string build_id_of_notes(const std::string& path) {
  auto notes = read_file(path);
  if (!notes) return "";
  auto word = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i)
      value |= static_cast<uint32_t>(static_cast<unsigned char>((*notes)[at + i])) << (8 * i);
    return size_t{value};
  };
  auto padded = [](size_t size) { return (size + 3) & ~size_t{3}; };
  for (size_t at = 0; at + 12 <= notes->size();) {
    size_t name_size = word(at);
    size_t contents_size = word(at + 4);
    size_t type = word(at + 8);
    size_t name = at + 12;
    size_t contents = name + padded(name_size);
    if (contents + contents_size > notes->size()) break;
    if (type == 3 && notes->substr(name, name_size) == std::string("GNU\0", 4)) {
      return to_hex(notes->substr(contents, contents_size));
    }
    at = contents + padded(contents_size);
  }
  return "";
}

// One row of /proc/modules: name size references users state address.
nlohmann::json modules() {
  auto rows = nlohmann::json::array();
  auto text = read_file("/proc/modules");
  std::istringstream lines(text ? *text : "");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name, size, references, users, state, address;
    fields >> name >> size >> references >> users >> state >> address;
    std::string folder = "/sys/module/" + name;
    auto sections = nlohmann::json::object();
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(folder + "/sections", ec)) {
      sections[entry.path().filename().string()] = first_line(entry.path().string());
    }
    rows.push_back({{"name", name},
                    {"size", std::stoull(size)},
                    {"address", address},
                    {"build_id", build_id_of_notes(folder + "/notes/.note.gnu.build-id")},
                    {"sections", sections}});
  }
  return rows;
}

std::string cpu_flags() {
  auto text = read_file("/proc/cpuinfo");
  if (!text) return "";
  size_t at = text->find("\nflags");
  if (at == std::string::npos) return "";
  size_t colon = text->find(": ", at);
  return text->substr(colon + 2, text->find('\n', colon) - colon - 2);
}

nlohmann::json vulnerabilities() {
  auto rows = nlohmann::json::object();
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator("/sys/devices/system/cpu/vulnerabilities", ec)) {
    rows[entry.path().filename().string()] = first_line(entry.path().string());
  }
  return rows;
}

Result<Reply> kernel(const Call&) {
  utsname name{};
  uname(&name);
  const std::string clock = "/sys/devices/system/clocksource/clocksource0/";
  return Reply{{{"release", name.release},
                {"version", name.version},
                {"build_id", build_id_of_notes("/sys/kernel/notes")},
                {"cmdline", first_line("/proc/cmdline")},
                {"cpu_flags", cpu_flags()},
                {"vulnerabilities", vulnerabilities()},
                {"clocksource", first_line(clock + "current_clocksource")},
                {"clocksources", first_line(clock + "available_clocksource")},
                {"modules", modules()}},
               {}};
}

// Where user code lies before anything is recorded: mappings made later are seen being made.
Result<Reply> process_maps(const Call&) {
  std::string text;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator("/proc", ec)) {
    std::string pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    auto maps = read_file(entry.path().string() + "/maps");
    if (!maps || maps->empty()) continue;  // a kernel thread, or gone
    text += "pid " + pid + " comm " + first_line(entry.path().string() + "/comm") + "\n" + *maps;
  }
  return Reply{nlohmann::json::object(), std::move(text)};
}

}  // namespace

void add_kernel_operation(Dispatcher& dispatcher) {
  dispatcher.add("kernel", kernel);
  dispatcher.add("process_maps", process_maps);
}

}  // namespace hap::agent
