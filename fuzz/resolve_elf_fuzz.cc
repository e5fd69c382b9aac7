// ELF, DWARF, .gopclntab, .eh_frame and machine code of a hostile file, through everything that an index is
// made of except the writing. The first byte chooses the kind of image. Seeds: object files and small
// programs.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "base/unique_fd.h"
#include "resolve/control_flow.h"
#include "resolve/image_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const hap::UniqueFd file(::memfd_create("image", MFD_CLOEXEC));
  if (!file.valid() || ::write(file.get(), data + 1, size - 1) != static_cast<ssize_t>(size - 1)) return 0;
  hap::ElfInputs inputs;
  inputs.elf = "/proc/self/fd/" + std::to_string(file.get());
  inputs.kind = static_cast<hap::ImageKind>(data[0] % 4);
  inputs.threads = 1;
  auto image = hap::resolve::read_image(inputs, {});
  if (!image) return 0;
  if (!hap::resolve::analyse_code(*image, 1, {})) return 0;
  if (inputs.kind == hap::ImageKind::user) hap::resolve::to_file_offsets(*image);
  return 0;
}
