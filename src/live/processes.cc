#include "live/processes.h"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <sstream>

#include "base/file.h"

namespace hap::live {
namespace {

// include/linux/sched.h
constexpr uint64_t pf_kthread = 0x00200000;

std::vector<pid_t> numbers_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  std::vector<pid_t> found;
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    pid_t number = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    const auto parsed = std::from_chars(entry->d_name, end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) found.push_back(number);
  }
  return found;
}

// /proc/.../stat: "pid (comm) state ppid ...", where comm may hold anything.
std::optional<ProcessRow> parse_stat(const std::string& text) {
  const size_t open = text.find('(');
  const size_t close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  ProcessRow row;
  row.pid = std::atoi(text.c_str());
  row.comm = text.substr(open + 1, close - open - 1);
  // By position behind the name, counted from 0; read for every process there is, so without streams.
  constexpr int ppid_field = 1;
  constexpr int flags_field = 6;
  constexpr int start_field = 19;
  uint64_t flags = 0;
  const char* at = text.data() + close + 1;
  const char* const text_end = text.data() + text.size();
  const auto read = [&](const char* word, auto& number) {
    return std::from_chars(word, text_end, number).ec == std::errc();
  };
  for (int field = 0; field <= start_field; ++field) {
    while (at != text_end && *at == ' ') ++at;
    const char* const word = at;
    while (at != text_end && *at != ' ') ++at;
    if (field == ppid_field && !read(word, row.ppid)) return std::nullopt;
    if (field == flags_field && !read(word, flags)) return std::nullopt;
    if (field == start_field && !read(word, row.start_ticks)) return std::nullopt;
  }
  row.kernel_thread = (flags & pf_kthread) != 0;
  return row;
}

}  // namespace

std::optional<ProcessRow> read_process(pid_t pid) {
  const auto text = read_file(fmt::format("/proc/{}/stat", pid), 1 << 12);
  return text ? parse_stat(*text) : std::nullopt;
}

std::vector<ProcessRow> list_processes() {
  std::vector<ProcessRow> rows;
  for (const pid_t pid : numbers_in("/proc")) {
    if (auto row = read_process(pid)) rows.push_back(std::move(*row));
  }
  return rows;
}

std::vector<pid_t> threads_of(pid_t tgid) {
  return numbers_in(fmt::format("/proc/{}/task", tgid));
}

pid_t process_of(pid_t tid) {
  const auto status = read_file(fmt::format("/proc/{}/status", tid), 1 << 14);
  const size_t at = status ? status->find("\nTgid:") : std::string::npos;
  return at == std::string::npos ? 0 : std::atoi(status->c_str() + at + 6);
}

std::string v2_cgroup_of(pid_t pid) {
  const auto text = read_file(fmt::format("/proc/{}/cgroup", pid), 1 << 16);
  if (!text) return "";
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("0::", 0) == 0) return line.substr(3);
  }
  return "";
}

std::vector<std::string> arguments_of(pid_t pid) {
  const auto text = read_file(fmt::format("/proc/{}/cmdline", pid), 1 << 20);
  std::vector<std::string> arguments;
  if (!text) return arguments;
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\0', at), text->size());
    arguments.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

std::optional<Task> describe_thread(pid_t tid) {
  const auto row = read_process(tid);
  const pid_t tgid = process_of(tid);
  if (!row || tgid == 0) return std::nullopt;
  Task task;
  task.pid = tid;
  task.tgid = tgid;
  task.ppid = row->ppid;
  task.comm = row->comm;
  task.kernel_thread = row->kernel_thread;
  task.start_ns = row->start_ticks * (1'000'000'000 / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK)));
  task.cgroup = v2_cgroup_of(tid);
  return task;
}

}  // namespace hap::live
