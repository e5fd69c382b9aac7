// ELF and debug information of one image -> CodeModel: the steps of build_index before the writing.
#pragma once

#include <memory>
#include <vector>

#include "hap/resolver.h"
#include "resolve/code_model.h"
#include "resolve/dwarf_unit.h"
#include "resolve/elf_file.h"

namespace hap::resolve {

// An image and what its model refers to: the model's names are views into the files.
struct ImageCode {
  std::unique_ptr<ElfFile> code;   // file with the machine code
  std::unique_ptr<ElfFile> debug;  // separate debug file, or null
  std::unique_ptr<DwarfSections> dwarf;
  CodeModel model;  // virtual addresses (those of ElfFile)
};

// Functions, scopes and lines; complexity and calls are added by analyse_code (control_flow.h).
Result<ImageCode> read_image(const ElfInputs& inputs, const IndexProgress& progress);

// User-space images: from virtual addresses to offsets in the file, as recordings have them.
void to_file_offsets(ImageCode& image);

}  // namespace hap::resolve
