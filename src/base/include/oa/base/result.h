// Result<T>: a value or an Error. Used for every failure a caller can meet; exceptions stay inside
// adapters.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "oa/base/assert.h"
#include "oa/base/error.h"

namespace oa {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// The value; aborts when this holds an error.
  T& value() & {
    OA_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    OA_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    OA_ASSERT(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// The error; aborts when this holds a value.
  const Error& error() const& {
    OA_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    OA_ASSERT(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void value() const { OA_ASSERT(ok()); }
  const Error& error() const& {
    OA_ASSERT(!ok());
    return *error_;
  }
  Error&& error() && {
    OA_ASSERT(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace oa

#define OA_CONCAT_INNER(a, b) a##b
#define OA_CONCAT(a, b) OA_CONCAT_INNER(a, b)

/// Returns the error of a failed Status or Result out of the enclosing function.
#define OA_TRY(expression) OA_TRY_INNER(OA_CONCAT(oa_try_result_, __COUNTER__), expression)
#define OA_TRY_INNER(temporary, expression)                                                  \
  do {                                                                                       \
    if (auto temporary = (expression); !temporary.ok()) return std::move(temporary).error(); \
  } while (false)

/// OA_ASSIGN(auto x, f()): binds the value or returns the error out of the enclosing function.
#define OA_ASSIGN(declaration, expression) \
  OA_ASSIGN_INNER(OA_CONCAT(oa_assign_result_, __COUNTER__), declaration, expression)
#define OA_ASSIGN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                            \
  if (!temporary.ok()) return std::move(temporary).error(); \
  declaration = std::move(temporary).value()
