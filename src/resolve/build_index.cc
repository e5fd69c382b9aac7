#include <chrono>
#include <filesystem>

#include "base/digest.h"
#include "hap/resolver.h"
#include "resolve/control_flow.h"
#include "resolve/elf_file.h"
#include "resolve/image_reader.h"
#include "resolve/index_writer.h"

namespace hap {

Result<IndexStats> build_index(const ElfInputs& inputs, const std::string& out_path,
                               const IndexProgress& progress) {
  if (inputs.kind > ImageKind::hypervisor) {
    return Error("only kernels, modules, hypervisors and user-space files have an index").at(inputs.elf);
  }
  const auto start = std::chrono::steady_clock::now();
  HAP_TRY(image, resolve::read_image(inputs, progress));
  if (inputs.complexity) HAP_CHECK(resolve::analyse_code(image, inputs.threads, progress));
  if (inputs.kind == ImageKind::user) resolve::to_file_offsets(image);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (progress) progress("writing", 1);
  return resolve::write_index(image.model, elapsed.count(), out_path);
}

Result<std::string> read_build_id(const std::string& elf_path) {
  HAP_TRY(elf, resolve::ElfFile::open(elf_path));
  if (!elf.build_id().empty()) return elf.build_id();
  HAP_TRY(digest, sha256_file(elf_path));
  return "sha256-" + digest;
}

std::string index_path(const std::string& cache, std::string_view build_id) {
  return cache + "/index/" + std::string(build_id) + ".hapidx";
}

}  // namespace hap
