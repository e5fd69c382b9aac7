// Result<T>: how hapmeter reports everything that can go wrong at run time.
//
// A function that can fail returns Result<T>; nothing in the library throws across an interface, prints,
// exits or aborts. An Error says what failed, where (path), why (errno when a system call said so) and what
// the user can do next (hint). Layers add context on the way up instead of replacing the cause:
//
//   Result<Index> open_index(const std::string& path) {
//     auto map = MappedFile::open(path);
//     if (!map) return map.error().context("opening the symbol index");
//     if (map->size() < sizeof(Header)) return Error("the index is truncated").at(path).hint("run `hap lab
//     build`");
//     ...
//     return index;             // values convert implicitly
//   }
//
//   auto index = open_index(path);
//   if (!index) return index.error();
//   use(*index);
//
// HAP_TRY(name, expression) is the short form: it declares `name` or returns the error.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace hap {

// What kind of failure it is; decides the exit status and, in a campaign, whether the cell, the machine or
// the user is to blame.
enum class ErrorKind {
  failed,       // the operation failed (exit 1)
  usage,        // the request itself is wrong (exit 2)
  unsupported,  // this machine or build cannot do it; the hint says what would help (exit 1)
  corrupt,      // bytes that were read are damaged, truncated or hostile (exit 1)
  sandbox,      // the isolation technology did not start or broke (exit 1)
  workload,     // the service or its load broke, or was not served (exit 1)
  interrupted,  // a signal asked to stop (exit 1)
};

// What went wrong: message, kind, the file or address it is about, and what to do.
class Error {
 public:
  // A message says what failed, in lower case and without a full stop.
  explicit Error(std::string message, ErrorKind kind = ErrorKind::failed)
      : message_(std::move(message)), kind_(kind) {}

  // An Error from a failed system call; takes errno at the call.
  static Error from_errno(std::string what, int err) {
    Error error(std::move(what));
    error.errno_ = err;
    return error;
  }

  // The file or object concerned.
  Error&& at(std::string path) && {
    path_ = std::move(path);
    return std::move(*this);
  }
  // What the user can do next: a full imperative sentence without a final stop.
  Error&& hint(std::string text) && {
    hint_ = std::move(text);
    return std::move(*this);
  }
  // Another kind.
  Error&& of_kind(ErrorKind kind) && {
    kind_ = kind;
    return std::move(*this);
  }
  // A copy that says what was being done when this happened.
  Error context(const std::string& doing) const {
    Error outer = *this;
    outer.message_ = doing + ": " + message_;
    return outer;
  }

  // What follows for the caller.
  ErrorKind kind() const { return kind_; }
  // Errno; 0: none.
  int err() const { return errno_; }
  // What failed.
  const std::string& message() const { return message_; }
  // What it is about; may be empty.
  const std::string& path() const { return path_; }
  // What to do next; may be empty.
  const std::string& hint() const { return hint_; }

  // One line: "message: path: strerror". The hint is separate so that a front end can set it apart.
  std::string to_string() const {
    std::string text = message_;
    if (!path_.empty()) text += ": " + path_;
    if (errno_ != 0) text += ": " + std::string(std::strerror(errno_));
    return text;
  }

 private:
  std::string message_;
  std::string path_;
  std::string hint_;
  int errno_ = 0;
  ErrorKind kind_ = ErrorKind::failed;
};

template <typename T>
// A value or an Error. Reading the wrong one throws std::bad_variant_access: test first.
class [[nodiscard]] Result {
 public:
  // Success.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose
  // Failure.
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  // There is a value.
  bool ok() const { return state_.index() == 0; }
  // The same as ok().
  explicit operator bool() const { return ok(); }

  // The value; only when ok().
  T& value() & { return std::get<0>(state_); }
  // The value; only when ok().
  const T& value() const& { return std::get<0>(state_); }
  // The value, moved out; only when ok().
  T&& value() && { return std::get<0>(std::move(state_)); }
  // The value; only when ok().
  T& operator*() & { return value(); }
  // The value; only when ok().
  const T& operator*() const& { return value(); }
  // The value, moved out; only when ok().
  T&& operator*() && { return std::move(*this).value(); }
  // The value; only when ok().
  T* operator->() { return &value(); }
  // The value; only when ok().
  const T* operator->() const { return &value(); }

  // The error; only when not ok().
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
// Success or an Error.
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  // Failure.
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose

  // It succeeded.
  bool ok() const { return !error_.has_value(); }
  // The same as ok().
  explicit operator bool() const { return ok(); }
  // The error; only when not ok().
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

// Of what gives nothing but may fail.
using Status = Result<void>;

}  // namespace hap

// Part of HAP_TRY.
#define HAP_TRY_CAT2(a, b) a##b
// Part of HAP_TRY.
#define HAP_TRY_CAT(a, b) HAP_TRY_CAT2(a, b)
// HAP_TRY(name, expression): the value of a Result as `auto name`, or return its error.
#define HAP_TRY(name, expression)                      \
  auto HAP_TRY_CAT(hap_try_, __LINE__) = (expression); \
  if (!HAP_TRY_CAT(hap_try_, __LINE__)) {              \
    return HAP_TRY_CAT(hap_try_, __LINE__).error();    \
  }                                                    \
  auto name = std::move(HAP_TRY_CAT(hap_try_, __LINE__)).value()
// HAP_CHECK(expression): return the error of a Status or Result when there is one.
#define HAP_CHECK(expression)                                                   \
  do {                                                                          \
    if (auto hap_status = (expression); !hap_status) return hap_status.error(); \
  } while (false)
