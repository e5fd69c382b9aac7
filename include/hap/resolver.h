// From a code address to what it is in the source: function, inlined functions, files and lines.
//
// Three parts:
//   build_index()  ELF with DWARF (vmlinux, .ko, user-space file) -> one compact file per build id
//   Index          that file, memory-mapped and fully checked when opened
//   Resolver       all images of one recording: finds their indexes and answers for (image, address, size)
//
// Addresses are *image addresses*, the same ones a recording stores:
//   kernel  the link-time virtual address (slide removed)
//   module  offset in the module's image: executable sections laid out as the kernel lays them out, from 0
//           at the base that /proc/modules shows; init sections, which the kernel places elsewhere and frees,
//           start at kModuleInitBase. Index::sections() gives name -> offset, to be joined with
//           /sys/module/NAME/sections.
//   user    offset in the file
//
// Unknown is std::nullopt or 0 where said so, never an invented value.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hap/image.h"
#include "hap/result.h"

namespace hap {

// Function and line numbers are dense, from 0, valid within one index only.
using FunctionId = std::uint32_t;
using LineId = std::uint32_t;  // one distinct (file, line)
// One source file.
using FileId = std::uint32_t;
// No function, line or file.
inline constexpr std::uint32_t kNoId = 0xffffffff;

// Where the init sections of a module start in its image addresses.
inline constexpr std::uint64_t kModuleInitBase = 0x40000000;

// A source function of an image. Clones (.isra, .constprop, .part, .cold) and the copies that several
// compilation units made of one header function are one function: its identity is (name, file, line).
struct FunctionView {
  std::string_view name;       // as in the source: "vfs_read"; "[3f2a91c0+0x1c20]" where no name is known
  std::string_view symbol;     // linker symbol of its first out-of-line copy; empty if only inlined
  std::string_view file;       // empty: unknown. Kernel: relative to the source root ("fs/read_write.c")
  FileId file_id = kNoId;      // the same as number
  std::uint32_t line = 0;      // declaration; 0: unknown
  std::uint32_t end_line = 0;  // highest line whose innermost scope is the function; 0: unknown
  std::optional<std::uint32_t> lines;  // all source lines of the function: end_line - line + 1
  std::uint64_t size = 0;              // bytes of machine code of all out-of-line copies, cold parts too
  bool out_of_line = false;            // it has code of its own (a traceable function, as ftrace sees it)
  bool inlined = false;                // it was inlined somewhere
  bool assembly = false;               // from an assembler source
  std::optional<std::uint32_t> complexity;  // cyclomatic, of the machine code (docs/complexity.md)
};

// A part of the machine code of a function: [begin, end) in image addresses.
struct CodeRange {
  std::uint64_t begin = 0;  // first byte
  std::uint64_t end = 0;    // behind the last byte
};

// A line of a source file.
struct SourceLine {
  FileId file = kNoId;     // which file
  std::uint32_t line = 0;  // from 1
};

// A symbol of the ELF file; valid as long as the index.
struct SymbolView {
  std::string_view name;      // as the linker has it
  std::uint64_t address = 0;  // image address
  std::uint64_t size = 0;     // bytes; 0: unknown
};

// An executable section; valid as long as the index.
struct SectionView {
  std::string_view name;     // ".text"
  std::uint64_t offset = 0;  // image address of its first byte
  std::uint64_t size = 0;    // bytes
};

// A line that executed, and the innermost function (inlined or not) that it executed in.
struct LineHit {
  LineId line = kNoId;          // kNoId: none
  FunctionId function = kNoId;  // kNoId: code that belongs to no known function
};

// What an executed byte range was. Vectors are sorted, without duplicates, and reused by the caller so that
// resolving a large recording does not allocate.
struct RangeResolution {
  std::vector<FunctionId> functions;   // out-of-line functions with code in the range (normally one)
  std::vector<FunctionId> inlined;     // functions inlined there, all depths
  std::vector<LineHit> lines;          // every line row that intersects the range, credited to its own file
  std::uint64_t resolved_bytes = 0;    // bytes of the range that lie in a known function
  std::uint64_t unresolved_bytes = 0;  // the rest; the sum is the size of the range
};

// One frame of an address; see Index::frames_at.
struct Frame {
  FunctionId function = kNoId;  // the frame's function
  SourceLine at;  // line executing in this function: for outer frames, the line of the inlined call
};

// What an index holds, and what making it cost.
struct IndexStats {
  std::string build_id;                // of the image
  std::uint64_t functions = 0;         // all
  std::uint64_t out_of_line = 0;       // of which with code of their own
  std::uint64_t line_rows = 0;         // rows of the line table
  std::uint64_t lines = 0;             // distinct (file, line)
  std::uint64_t inline_instances = 0;  // places where a function was inlined
  std::uint64_t files = 0;             // source files
  std::uint64_t symbols = 0;           // of the ELF file
  std::uint64_t call_edges = 0;        // direct calls and jumps between functions
  std::uint64_t with_complexity = 0;   // out-of-line functions of known complexity
  std::uint64_t file_bytes = 0;        // size of the index
  double seconds = 0;                  // to build it
};

// The symbols, lines and calls of one image, in a mapped file. Safe to use from several threads.
class Index {
 public:
  // Maps the file and checks every offset, count and id in it (not the digest, see verify), so that no query
  // can leave the map. Errors: ErrorKind::corrupt for a truncated, foreign, newer or hostile file, with a
  // hint to build it again.
  static Result<Index> open(const std::string& path);

  Index(Index&&) noexcept;
  Index& operator=(Index&&) noexcept;
  ~Index();

  std::string_view build_id() const;    // lower-case hex
  ImageKind kind() const;               // kernel, module or user
  std::string_view image_name() const;  // "vmlinux", "kvm", "redis-server"
  // Counts kept in the file.
  IndexStats stats() const;
  // Recomputes the digest over the whole file; false when a bit was flipped.
  bool verify() const;

  // All that executing [address, address + size) means. `out` is cleared first.
  void resolve_range(std::uint64_t address, std::uint64_t size, RangeResolution& out) const;
  // Innermost frame first, the out-of-line function last; empty if no function covers the address.
  std::vector<Frame> frames_at(std::uint64_t address) const;

  // Functions are numbered from 0 to this.
  std::size_t function_count() const;
  // Valid as long as the index.
  FunctionView function(FunctionId id) const;
  // Its machine code, ascending; several for clones and cold parts.
  std::vector<CodeRange> ranges(FunctionId id) const;
  // All functions of this source name, or out-of-line functions with this linker symbol.
  std::vector<FunctionId> find_functions(std::string_view name) const;

  // Lines are numbered from 0 to this.
  std::size_t line_count() const;
  // File and line of a number.
  SourceLine line(LineId id) const;
  // Files are numbered from 0 to this.
  std::size_t file_count() const;
  // Its path; valid as long as the index.
  std::string_view file(FileId id) const;
  // Every line of a file that has machine code, ascending: what an annotated listing can show as executable.
  std::vector<std::uint32_t> code_lines(FileId id) const;

  // The symbol of exactly this name.
  std::optional<SymbolView> find_symbol(std::string_view name) const;
  std::optional<SymbolView> symbol_at(std::uint64_t address) const;  // the one that covers it
  std::vector<SectionView> sections() const;                         // executable sections

  // Functions called or jumped to directly from this one's machine code. Pointers are not followed.
  std::vector<FunctionId> callees(FunctionId id) const;
  // Symbols of other images called directly (module -> kernel).
  std::vector<std::string_view> imported_callees(FunctionId id) const;
  // Kernel only: system call number -> its entry (__x64_sys_read, ...). Not implemented ones lead to
  // __x64_sys_ni_syscall.
  std::vector<std::pair<std::uint32_t, FunctionId>> syscall_entries() const;

 private:
  struct Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// ---------------------------------------------------------------------------------------------------------
// Building

struct ElfInputs {
  std::string elf;         // file with the code: vmlinux, kvm.ko, /usr/bin/redis-server
  std::string debug_file;  // separate debug file (.debug), when the code file has been stripped; may be empty
  ImageKind kind = ImageKind::user;  // what the file is
  std::string image_name;            // empty: file name without .ko and version
  bool complexity = true;            // decode the machine code: complexity and call edges
  unsigned threads = 2;              // that decode machine code
};

// What is being done and how far it is, 0 to 1. Called from one thread at a time.
using IndexProgress = std::function<void(std::string_view what, double fraction)>;

// Reads the ELF and writes the index to `out_path`, atomically (a temporary file beside it, then rename).
Result<IndexStats> build_index(const ElfInputs& inputs, const std::string& out_path,
                               const IndexProgress& progress = {});

// GNU build id of an ELF file as lower-case hex; a file without one gets "sha256-" and a digest of its
// content, so that every file has an identity.
Result<std::string> read_build_id(const std::string& elf_path);

// <cache>/index/<build-id>.hapidx
std::string index_path(const std::string& cache, std::string_view build_id);

// ---------------------------------------------------------------------------------------------------------
// All images of a recording

struct ImageRef {
  ImageKind kind = ImageKind::other;  // what the image is
  std::string build_id;               // may be empty: then found by path in the search roots
  std::string path;                   // as seen on the measured system; for a module its name
};

// Where to find symbols.
struct ResolverOptions {
  std::string cache;  // the project's cache directory; indexes are under index/
  // File trees in which an image's path or /usr/lib/debug/.build-id is looked up to build a missing index.
  std::vector<std::string> roots;
  bool build_missing = true;  // build indexes that are not in the cache from `roots`
  bool debuginfod = false;    // ask debuginfod-find, if installed and configured
};

// Answer for one address range of a recording: either in an index, or a label that keeps totals complete.
struct Resolution {
  const Index* index = nullptr;  // null: only the label is known
  std::string_view label;        // empty, or [unresolved] [trampoline] [bpf] [vdso] [jit] [memfd]
  RangeResolution range;         // what the index says of it
};

// The indexes of a recording's images. Safe to use from several threads.
class Resolver {
 public:
  // One entry per image of the recording, in its order. An image whose index is missing and cannot be built
  // is not an error: its addresses get a label, and missing() says why.
  static Result<Resolver> open(const ResolverOptions& options, const std::vector<ImageRef>& images,
                               const IndexProgress& progress = {});

  Resolver(Resolver&&) noexcept;
  Resolver& operator=(Resolver&&) noexcept;
  ~Resolver();

  // As many as were given to open().
  std::size_t image_count() const;
  const Index* index(std::size_t image) const;  // null if there is none
  // Label of addresses of that image that no function covers.
  std::string_view label(std::size_t image) const;
  // `out` is overwritten; its vectors are reused.
  void resolve(std::size_t image, std::uint64_t address, std::uint64_t size, Resolution& out) const;

  // An image without an index.
  struct Missing {
    std::size_t image;  // its position
    Error why;          // and what to do
  };
  // Images that have no index.
  const std::vector<Missing>& missing() const;

 private:
  struct Impl;
  explicit Resolver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// ---------------------------------------------------------------------------------------------------------
// Static call graph over the kernel and its modules: a lower bound, since pointers are not followed.

struct ImageFunction {
  std::uint32_t image = 0;      // position in the list given to reachable_functions
  FunctionId function = kNoId;  // of that image's index
  friend auto operator<=>(const ImageFunction&, const ImageFunction&) = default;  // By image, then function
};

// Every function reachable from the entries by direct calls and jumps, entries included, sorted. Calls of a
// module into another image are linked by symbol name.
std::vector<ImageFunction> reachable_functions(const std::vector<const Index*>& images,
                                               const std::vector<ImageFunction>& entries);

}  // namespace hap
