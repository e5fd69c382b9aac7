// SPDX-License-Identifier: GPL-2.0-or-later
#include "stream_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hap_plugin {
namespace {
constexpr size_t flush_threshold = 1 << 20;
}

StreamWriter::~StreamWriter() {
  if (fd_ >= 0) ::close(fd_);
}

bool StreamWriter::open(const std::string& path) {
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) return false;
  put(hap::stream::magic, sizeof(hap::stream::magic));
  u32(hap::stream::version);
  u32(0);
  flush();
  return !failed_;
}

void StreamWriter::begin(hap::stream::Chunk type) {
  chunk_start_ = buffer_.size();
  u32(static_cast<uint32_t>(type));
  u32(0);
}

void StreamWriter::end() {
  const auto length = static_cast<uint32_t>(buffer_.size() - chunk_start_ - 8);
  std::memcpy(buffer_.data() + chunk_start_ + 4, &length, sizeof(length));
  if (buffer_.size() >= flush_threshold) flush();
}

void StreamWriter::string(std::string_view text) {
  const auto length = static_cast<uint16_t>(text.size() < 65535 ? text.size() : 65535);
  put(&length, sizeof(length));
  put(text.data(), length);
}

void StreamWriter::put(const void* bytes, size_t size) {
  const auto* first = static_cast<const uint8_t*>(bytes);
  buffer_.insert(buffer_.end(), first, first + size);
}

void StreamWriter::flush() {
  size_t written = 0;
  while (written < buffer_.size() && !failed_) {
    const ssize_t count = ::write(fd_, buffer_.data() + written, buffer_.size() - written);
    if (count > 0) {
      written += static_cast<size_t>(count);
    } else if (count < 0 && errno != EINTR) {
      failed_ = true;
    }
  }
  buffer_.clear();
}

}  // namespace hap_plugin
