// The recording reader on hostile bytes. The input becomes a file that is sealed anew, so that the fuzzer
// gets past the digest and into SQLite and the row checks.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/unique_fd.h"
#include "hap/recording.h"
#include "recording/attachment.h"
#include "recording/seal.h"
#include "recording/window_set.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  (void)hap::recording::decode_window_set(input);
  (void)hap::recording::check_seal(std::as_bytes(std::span(input)), "input");

  char path[] = "/tmp/hap-fuzz-XXXXXX";
  if (size >= hap::recording::page_size) {
    (void)hap::recording::attached_content(input.substr(0, hap::recording::page_size),
                                           input.substr(hap::recording::page_size));
  }

  const hap::UniqueFd fd(::mkstemp(path));
  if (fd.valid() && ::write(fd.get(), bytes, size) == static_cast<ssize_t>(size)) {
    (void)hap::recording::seal_file(fd.get(), path);
    if (const auto recording = hap::Recording::open(path)) {
      (void)recording->for_each_block([](const hap::Block&) { return true; });
      (void)recording->for_each_hit([](const hap::Hit&) { return true; });
    }
  }
  ::unlink(path);
  return 0;
}
