#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "agent/operations.h"
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

}  // namespace

void add_machine_operations(Dispatcher& dispatcher) {
  dispatcher.add("ping", [](const Call&) -> Result<Reply> { return Reply{{{"agent", 1}, {"pid", getpid()}}, {}}; });
  dispatcher.add("reseed", reseed);
  dispatcher.add("power_off", [](const Call&) -> Result<Reply> {
    sync();
    reboot(RB_POWER_OFF);
    return Error::from_errno("powering off", errno);
  });
}

}  // namespace hap::agent
