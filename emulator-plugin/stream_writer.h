// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes the stream of stream_format.h through one buffer. A failed write (disk full) is remembered: the
// stream then lacks its end and the reader refuses it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stream_format.h"

namespace hap_plugin {

class StreamWriter {
 public:
  StreamWriter() = default;
  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;
  ~StreamWriter();

  bool open(const std::string& path);

  // One chunk at a time: begin, put its fields, end.
  void begin(hap::stream::Chunk type);
  void end();

  void u8(uint8_t value) { put(&value, sizeof(value)); }
  void u32(uint32_t value) { put(&value, sizeof(value)); }
  void u64(uint64_t value) { put(&value, sizeof(value)); }
  void string(std::string_view text);
  void put(const void* bytes, size_t size);

  // Hands everything to the kernel; so a reader may follow.
  void flush();
  bool failed() const { return failed_; }

 private:
  int fd_ = -1;
  bool failed_ = false;
  size_t chunk_start_ = 0;
  std::vector<uint8_t> buffer_;
};

}  // namespace hap_plugin
