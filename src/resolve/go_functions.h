// Functions, files and lines of a Go program, from the table that Go's runtime itself needs (.gopclntab),
// which is there in stripped programs too. Reference: the Go runtime's symtab.go and the linker's pcln.go,
// versions 1.18 to 1.25.
#pragma once

#include "hap/result.h"
#include "resolve/elf_file.h"
#include "resolve/source_facts.h"

namespace hap::resolve {

// Adds to `facts`; names are views into the file. A file without the table adds nothing.
// Inlined calls are credited to their own file and line, but not listed as functions: the tree of inlined
// calls needs the module data, whose layout changes with each version of Go.
Status read_go_functions(const ElfFile& elf, SourceFacts& facts);

}  // namespace hap::resolve
