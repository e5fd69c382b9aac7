// A service's replies in redis' protocol, on any bytes.
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "workload/resp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t fits_in_the_socket = 64 << 10;
  if (size > fits_in_the_socket) return 0;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) __builtin_trap();
  auto reader = hap::workload::Connection::adopt(hap::UniqueFd(ends[0]));
  {
    auto writer = hap::workload::Connection::adopt(hap::UniqueFd(ends[1]));
    if (!writer.send(std::string_view(reinterpret_cast<const char*>(data), size))) __builtin_trap();
  }
  // The peer has closed, so this ends whatever it sent.
  for (;;) {
    const auto reply = hap::workload::read_reply(reader);
    if (!reply) return 0;
    if (reply->text.size() > size) __builtin_trap();
  }
}
