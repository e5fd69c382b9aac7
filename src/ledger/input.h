// Reading the inputs of an import: plain and compressed files, folders, and archives, as a sequence of named
// byte streams. Nothing is ever extracted to disk, so a hostile member name has nothing to reach.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "hap/result.h"

namespace hap::ledger {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Up to `size` bytes; 0 at the end. Damaged or truncated input is an Error.
  virtual Result<size_t> read(char* buffer, size_t size) = 0;
};

struct InputLimits {
  uint64_t total_bytes = uint64_t{16} << 30;  // of everything unpacked; more is taken for an archive bomb
};

// What walking an input reports.
class InputVisitor {
 public:
  virtual ~InputVisitor() = default;
  // A stream of records. An Error ends the walk and is returned by it. Reading less than the whole is fine.
  virtual Status stream(const std::string& name, ByteStream& bytes) = 0;
  // Something that is no record file (another kind of file): counted, not reported one by one.
  virtual void ignored(const std::string& name) = 0;
  // Something refused: a symbolic link, a member with a path that leaves the archive.
  virtual void refused(const std::string& name, const std::string& why) = 0;
  // Bytes of the input consumed so far, and all of them (0: unknown). false asks to stop.
  virtual bool advance(uint64_t position, uint64_t total) = 0;
};

// Errors: not there, unreadable, an archive that is truncated or damaged, limits exceeded.
Status walk_input(const std::string& path, const InputLimits& limits, InputVisitor& visitor);

// Changes whenever the input's content does: of a file its SHA-256, of a folder that of its listing (names,
// sizes, modification times).
Result<std::string> input_digest(const std::string& path);

// Is this the name of a file that may hold records (.json, .jsonl, also compressed)?
bool record_file_name(const std::string& name);

}  // namespace hap::ledger
