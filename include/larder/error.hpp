// What went wrong, for code (`Errc`) and for people (`message`).
//
// Errors that a caller can act on are values: functions return `Result<T>`.
// Exceptions are for mistakes of the programmer at construction (options that
// cannot work) and for `value()` on an answer that has none.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <expected>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace larder {

enum class Errc : std::uint8_t {
  kInvalidArgument,  // the caller's input cannot be right, whatever the state of the world
  kTimeout,          // the caller's own patience ran out; the work may still finish
  kCancelled,        // the caller, or a shutdown, called it off
  kOverloaded,       // a limit is reached: too many loads, waiters, bytes
  kSourceFailed,     // the source answered with an error, or could not be reached
  kBadValue,         // bytes that do not decode to the wanted type
  kRefused,          // not allowed by how this cache is set up
  kInternal,         // a defect of larder
  kRejected,         // the source refuses this write for good: a constraint, a type, no such row
  kConflict,         // the row is not the version that the write was made for
  kOutcomeUnknown,   // nobody knows whether the write was done, and it may yet be
};

// The stable name of a code, as metrics and logs show it: "timeout".
[[nodiscard]] constexpr std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::kInvalidArgument: return "invalid_argument";
    case Errc::kTimeout: return "timeout";
    case Errc::kCancelled: return "cancelled";
    case Errc::kOverloaded: return "overloaded";
    case Errc::kSourceFailed: return "source_failed";
    case Errc::kBadValue: return "bad_value";
    case Errc::kRefused: return "refused";
    case Errc::kInternal: return "internal";
    case Errc::kRejected: return "rejected";
    case Errc::kConflict: return "conflict";
    case Errc::kOutcomeUnknown: return "outcome_unknown";
  }
  return "unknown";
}

// A code, and a sentence that says what happened, where, and what to do next.
struct Error {
  Errc code;
  std::string message;
  std::string state{};  // what the source itself calls it, as SQLSTATE "23514"; may be empty

  friend bool operator==(const Error&, const Error&) = default;
};

// A value, or why there is none.
template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string message) {
  return std::unexpected<Error>{Error{code, std::move(message)}};
}

// Thrown where a value was demanded and an Error is what there is.
class Failure : public std::runtime_error {
 public:
  explicit Failure(Error error) : std::runtime_error{error.message}, error_{std::move(error)} {}
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  Error error_;
};

}  // namespace larder
