// A source: where the truth lives.
//
// Most users never see `Source` itself: a function is a source, and so is an
// object with `load` (below). The database sources implement it directly.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "larder/error.hpp"

namespace larder {

// What a load of one key brings: the value; nullopt when the source has no such
// row, which is an answer and not an error; or the error.
template <class Value>
using Loaded = Result<std::optional<Value>>;

template <class Key, class Value>
class Source {
 public:
  // Called exactly once per load(), from any thread, perhaps before load()
  // returns; results[i] belongs to keys[i]. A source that answers_in_parts() may give
  // fewer than there are keys, those of the first ones, at least one.
  using Done = std::move_only_function<void(std::vector<Loaded<Value>> results)>;
  // Tells that a load begins to run; whether anybody still waits for it. Called at
  // most once, before Done.
  using Begin = std::move_only_function<bool()>;

  virtual ~Source() = default;

  // Loads `keys` (at least one, all different), as one query where the source
  // can. Never blocks the caller. A failure is an Error in the results; an
  // error of the whole query stands in each. An exception, as long as `done` was
  // not called, fails the load with its text.
  //
  // Threads: any, concurrently; the cache bounds how many loads run at a time.
  virtual void load(std::vector<Key> keys, Done done) = 0;

  // What the cache calls. A source whose loads wait in line (for a thread, for a
  // connection) overrides it and calls `begin` when the load's turn has come, since
  // the load timeout runs from there. When that says false, the load was given up:
  // the source does not run it, and destroys `done` uncalled.
  virtual void submit(std::vector<Key> keys, Begin begin, Done done) {
    if (begin()) load(std::move(keys), std::move(done));
  }

  // For people: "sqlite:shop.db · SELECT id, name FROM products WHERE id = :id".
  // Carries no secret.
  [[nodiscard]] virtual std::string describe() const = 0;

  // The most keys that one load() may carry; the cache splits what is more.
  // At least 1.
  [[nodiscard]] virtual std::size_t most_keys() const { return 1000; }

  // Whether a load may end before all of its keys were asked for, because the values are
  // large: the cache then takes what there is, and asks for the others if they are still
  // wanted. A source that does not say so and gives fewer results has made a mistake.
  [[nodiscard]] virtual bool answers_in_parts() const { return false; }
};

// What a user's loading function may return: the value, perhaps none, or a Result.
template <class R, class Value>
concept LoadResult = std::convertible_to<R, Loaded<Value>> ||
                     std::convertible_to<R, std::optional<Value>> || std::convertible_to<R, Value>;

// A plain function as a source: key in, value out. It may block and may throw
// (the exception's text becomes the error); the runtime calls it on a thread
// that may wait.
template <class F, class Key, class Value>
concept LoadFunction =
    std::invocable<F&, const Key&> && LoadResult<std::invoke_result_t<F&, const Key&>, Value>;

// An object as a source: `load(key)`, and if it can answer many keys at once,
// `load_many(keys)` with results in the order of the keys; `describe()` if it
// has something to say. Blocking, as above.
template <class S, class Key, class Value>
concept LoadObject = requires(S& source, const Key& key) {
  { source.load(key) } -> LoadResult<Value>;
};

template <class S, class Key, class Value>
concept LoadsMany = requires(S& source, std::span<const Key> keys) {
  { source.load_many(keys) } -> std::convertible_to<std::vector<Loaded<Value>>>;
};

}  // namespace larder
