#include "agent/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/file.h"

namespace hap::agent {
namespace {

using namespace std::chrono_literals;

// The device node of the virtio-serial port with this name, or "".
std::string find_port(const std::string& name) {
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/class/virtio-ports", ec)) {
    auto text = read_file(entry.path().string() + "/name");
    if (text && *text == name + "\n") return "/dev/" + entry.path().filename().string();
  }
  return "";
}

}  // namespace

Result<Channel> Channel::open_port(const std::string& name) {
  for (int tries = 0; tries < 200; ++tries) {
    if (std::string path = find_port(name); !path.empty()) {
      UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
      if (!fd.valid()) return Error::from_errno("opening the line to the host", errno).at(path);
      return Channel(std::move(fd));
    }
    std::this_thread::sleep_for(50ms);
  }
  return Error("the machine has no virtio-serial port named " + name);
}

Result<lab::Message> Channel::next() {
  for (;;) {
    auto message = decoder_.next();
    if (!message) return message.error();
    if (*message) return std::move(**message);
    char buffer[65536];
    ssize_t got = read(fd_.get(), buffer, sizeof buffer);
    if (got > 0) {
      decoder_.feed({buffer, static_cast<size_t>(got)});
    } else if (got == 0) {
      // The host side is not connected (yet). The port signals no event for that, hence the pause.
      std::this_thread::sleep_for(20ms);
    } else if (errno != EINTR && errno != EAGAIN) {
      return Error::from_errno("reading from the host", errno);
    }
  }
}

Status Channel::send(const nlohmann::json& body, std::string_view blob) {
  std::string bytes = lab::encode_message(body, blob);
  std::lock_guard<std::mutex> lock(sending_);
  size_t sent = 0;
  while (sent < bytes.size()) {
    ssize_t put = write(fd_.get(), bytes.data() + sent, bytes.size() - sent);
    if (put > 0) {
      sent += static_cast<size_t>(put);
    } else if (errno == EAGAIN) {
      pollfd ready{fd_.get(), POLLOUT, 0};
      poll(&ready, 1, 1000);
    } else if (errno != EINTR) {
      return Error::from_errno("writing to the host", errno);
    }
  }
  return {};
}

Status Channel::emit(const std::string& name, nlohmann::json fields) {
  fields["event"] = name;
  return send(fields);
}

}  // namespace hap::agent
