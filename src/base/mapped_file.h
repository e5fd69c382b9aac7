// A whole file mapped read-only and private; unmapped on destruction.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "hap/result.h"

namespace hap {

class MappedFile {
 public:
  // Errors: the file cannot be opened, is not a regular file, or cannot be mapped. An empty file is valid.
  static Result<MappedFile> open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(address_), size_}; }
  size_t size() const { return size_; }

 private:
  MappedFile(void* address, size_t size) : address_(address), size_(size) {}
  void* address_ = nullptr;
  size_t size_ = 0;
};

}  // namespace hap
