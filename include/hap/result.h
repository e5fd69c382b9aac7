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

class Error {
 public:
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

  ErrorKind kind() const { return kind_; }
  int err() const { return errno_; }
  const std::string& message() const { return message_; }
  const std::string& path() const { return path_; }
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
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace hap

#define HAP_TRY_CAT2(a, b) a##b
#define HAP_TRY_CAT(a, b) HAP_TRY_CAT2(a, b)
#define HAP_TRY(name, expression)                      \
  auto HAP_TRY_CAT(hap_try_, __LINE__) = (expression); \
  if (!HAP_TRY_CAT(hap_try_, __LINE__)) {              \
    return HAP_TRY_CAT(hap_try_, __LINE__).error();    \
  }                                                    \
  auto name = std::move(HAP_TRY_CAT(hap_try_, __LINE__)).value()
#define HAP_CHECK(expression)                                                   \
  do {                                                                          \
    if (auto hap_status = (expression); !hap_status) return hap_status.error(); \
  } while (false)
