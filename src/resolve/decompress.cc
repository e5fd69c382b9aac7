#include "resolve/decompress.h"

#include <zlib.h>
#include <zstd.h>

namespace hap::resolve {

namespace {

constexpr std::uint32_t kZlib = 1;
constexpr std::uint32_t kZstd = 2;
constexpr std::uint64_t kMaxSize = std::uint64_t{4} << 30;
// zlib cannot exceed 1,032 to 1; zstd can for constant data, which debug sections are not. The bound keeps a
// few hostile bytes from asking for gigabytes.
constexpr std::uint64_t kMaxRatio = 4096;

Error damaged(const std::string& why) {
  return Error("the compressed data is damaged: " + why).of_kind(ErrorKind::corrupt);
}

}  // namespace

Result<std::vector<std::byte>> decompress(std::uint32_t algorithm, std::span<const std::byte> bytes,
                                          std::uint64_t size) {
  if (size > kMaxSize || size / kMaxRatio > bytes.size()) return damaged("impossible size");
  std::vector<std::byte> out(size);
  if (algorithm == kZlib) {
    // uncompress() takes unsigned long, which holds any size here.
    uLongf written = out.size();
    const int status = ::uncompress(reinterpret_cast<Bytef*>(out.data()), &written,
                                    reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
    if (status != Z_OK || written != size) return damaged("zlib");
    return out;
  }
  if (algorithm == kZstd) {
    const std::size_t written = ::ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(written) != 0 || written != size) return damaged("zstd");
    return out;
  }
  return Error("unknown compression").of_kind(ErrorKind::unsupported);
}

}  // namespace hap::resolve
