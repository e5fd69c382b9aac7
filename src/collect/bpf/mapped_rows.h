// The memory of an array map of the kernel's, one row per element, mapped into this process.
#pragma once

#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "hap/result.h"

namespace hap::collect {

class MappedRows {
 public:
  MappedRows() = default;
  MappedRows(MappedRows&& other) noexcept { *this = std::move(other); }
  MappedRows& operator=(MappedRows&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(rows_, other.rows_);
    std::swap(stride_, other.stride_);
    return *this;
  }
  ~MappedRows() {
    if (address_ != nullptr) ::munmap(address_, bytes());
  }

  // `map`: created with BPF_F_MMAPABLE, and loaded.
  static Result<MappedRows> map(const bpf_map* map) {
    MappedRows rows;
    rows.rows_ = bpf_map__max_entries(map);
    rows.stride_ = (bpf_map__value_size(map) + size_t{7}) & ~size_t{7};  // as the kernel lays them out
    void* address = ::mmap(nullptr, rows.bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
    if (address == MAP_FAILED) return Error::from_errno("mapping the tracer's memory", errno);
    rows.address_ = static_cast<std::byte*>(address);
    return rows;
  }

  size_t rows() const { return rows_; }
  std::byte* row(size_t index) const { return address_ + index * stride_; }
  void clear() const { std::memset(address_, 0, rows_ * stride_); }

 private:
  size_t bytes() const {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    return (rows_ * stride_ + page - 1) / page * page;
  }

  std::byte* address_ = nullptr;
  size_t rows_ = 0;
  size_t stride_ = 0;
};

}  // namespace hap::collect
