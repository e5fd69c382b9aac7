// Turning SIGINT and SIGTERM into a value that long operations poll.
//
// The front end installs the handlers once; stages receive a `const CancelToken&` and return an Error of kind
// `interrupted`, so that every RAII owner on the way up cleans after itself.
#pragma once

#include "hap/result.h"

namespace hap {

class CancelToken {
 public:
  bool requested() const;
  // OK, or an Error of kind `interrupted`.
  Status check() const;
  // A descriptor that becomes readable once cancellation is requested; -1 when no handler is installed.
  int poll_fd() const;
};

// Installs handlers for SIGINT and SIGTERM. A second signal ends the process at once.
Status install_cancel_handlers();

}  // namespace hap
