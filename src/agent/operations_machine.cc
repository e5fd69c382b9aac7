#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <sstream>
#include <thread>
#include <vector>

#include "agent/operations.h"
#include "base/file.h"
#include "base/unique_fd.h"

namespace hap::agent {
namespace {

// Every start from one checkpoint would otherwise draw the same random numbers.
Result<Reply> reseed(const Call& call) {
  if (call.blob.empty()) return Error("reseed needs random bytes", ErrorKind::usage);
  UniqueFd fd(open("/dev/urandom", O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return Error::from_errno("opening the random device", errno);
  std::vector<unsigned char> request(sizeof(rand_pool_info) + call.blob.size());
  rand_pool_info header{};
  header.entropy_count = static_cast<int>(call.blob.size() * 8);
  header.buf_size = static_cast<int>(call.blob.size());
  std::memcpy(request.data(), &header, sizeof header);
  std::memcpy(request.data() + sizeof header, call.blob.data(), call.blob.size());
  if (ioctl(fd.get(), RNDADDENTROPY, request.data()) != 0) return Error::from_errno("adding entropy", errno);
  if (ioctl(fd.get(), RNDRESEEDCRNG) != 0) return Error::from_errno("reseeding", errno);
  if (auto now = call.request.find("unix_time"); now != call.request.end()) {
    timespec time{};
    time.tv_sec = now->get<time_t>();
    if (clock_settime(CLOCK_REALTIME, &time) != 0) return Error::from_errno("setting the clock", errno);
  }
  return Reply{};
}

struct CpuTime {
  uint64_t busy = 0;
  uint64_t total = 0;
};

// First line of /proc/stat: cpu user nice system idle iowait irq softirq steal ..., in clock ticks.
Result<CpuTime> cpu_time() {
  HAP_TRY(text, read_file("/proc/stat"));
  std::istringstream fields(text.substr(0, text.find('\n')));
  std::string name;
  fields >> name;
  CpuTime time;
  uint64_t ticks = 0;
  for (int field = 0; field < 8 && fields >> ticks; ++field) {
    time.total += ticks;
    if (field != 3 && field != 4) time.busy += ticks;
  }
  return time;
}

// A checkpoint of a machine that still has something to do would hand that to every measurement.
Result<Reply> settle(const Call& call) {
  constexpr int kAttempts = 20;
  constexpr uint64_t kBusyPercent = 3;
  std::chrono::milliseconds span(call.request.value("milliseconds", 1000));
  sync();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    HAP_TRY(before, cpu_time());
    std::this_thread::sleep_for(span);
    HAP_TRY(after, cpu_time());
    if ((after.busy - before.busy) * 100 <= (after.total - before.total) * kBusyPercent) {
      return Reply{{{"idle", true}}, {}};
    }
  }
  return Reply{{{"idle", false}}, {}};
}

}  // namespace

void add_machine_operations(Dispatcher& dispatcher) {
  dispatcher.add("ping", [](const Call&) -> Result<Reply> {
    return Reply{{{"agent", 1}, {"pid", getpid()}}, {}};
  });
  dispatcher.add("reseed", reseed);
  dispatcher.add("settle", settle);
  dispatcher.add("power_off", [](const Call&) -> Result<Reply> {
    sync();
    reboot(RB_POWER_OFF);
    return Error::from_errno("powering off", errno);
  });
}

}  // namespace hap::agent
