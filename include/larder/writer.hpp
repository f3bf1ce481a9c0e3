// A writer: how what a program puts reaches the source.
//
// Most users never see `Writer` itself: a function is a writer, and so is an object with
// `write` (below). The database writers implement it directly.
//
// What a write leaves in the cache is what the writer says that the source holds
// afterwards, never what the caller gave: a row may have columns that the caller did not
// send, and a trigger may change those that it did.
//
// Three things can become of a write, and a cache treats each in its way. It is done: the
// cache keeps what the source holds. It is certain that it was not done (any error but
// the next): the cache keeps nothing, and the caller gets the error. Nobody knows
// (kOutcomeUnknown), as when a connection is lost while the source commits: the cache keeps
// nothing of this key until the commit can no longer land, and the caller is told so.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "larder/error.hpp"
#include "larder/source.hpp"

namespace larder {

// Which write of a journal one is that is written behind (journal.hpp). A source that keeps it in
// the write's own transaction, and looks for it first, does a write that is sent twice once.
struct WriteMark {
  std::string journal{};           // names the journal, in all the world; empty: it has none
  std::int64_t position = 0;       // in it: never used twice, and of one key ascending
  std::int64_t settled_below = 0;  // marks below this one nobody will ask for
};

template <class Key, class Value>
struct Write {
  Key key;
  std::optional<Value> value{};     // none: the row is to be removed
  std::optional<WriteMark> mark{};  // of what is written behind
};

// What a write that was done left in the source.
template <class Value>
struct Stored {
  std::optional<Value> value{};  // of the row now; none: there is no such row
  bool told = true;              // false: the writer does not say; the next read will ask
  bool changed = true;           // false: of a removal, that there was no such row
};

template <class Key, class Value>
class Writer {
 public:
  // Called exactly once per submit(), from any thread, perhaps before that returns;
  // results[i] belongs to writes[i]. Destroyed uncalled, no outcome is known.
  using Done = std::move_only_function<void(std::vector<Result<Stored<Value>>> results)>;
  // Tells that the writes begin to run, and whether they still shall; if not, nothing is
  // written and `done` is destroyed uncalled. Called at most once, before Done.
  using Begin = std::move_only_function<bool()>;

  virtual ~Writer() = default;

  // Writes `writes` (at least one), of one key in their order. They may share a
  // transaction, but each stands for itself: one that fails undoes no other. Never
  // blocks the caller. An exception, before `done` was called, says that nothing was
  // written.
  //
  // Threads: any, concurrently; the cache bounds how many run at a time.
  virtual void submit(std::vector<Write<Key, Value>> writes, Begin begin, Done done) = 0;

  // For people: "sqlite:shop.db · UPDATE products SET …". Carries no secret.
  [[nodiscard]] virtual std::string describe() const = 0;

  // Whether it takes removals.
  [[nodiscard]] virtual bool removes() const { return true; }
  // Whether the source keeps the marks of writes, as far as is known now.
  [[nodiscard]] virtual bool keeps_marks() const { return false; }
  // For people: what it knows of a key that the source does not say, each with its name. Of
  // most there is nothing.
  using Facts = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] virtual Facts explain(const Key&) const { return {}; }
  // The most writes that one submit() may carry. At least 1.
  [[nodiscard]] virtual std::size_t most_writes() const { return 100; }
};

// What a user's writing function may return: the value as the source holds it now, perhaps
// none; Stored; or nothing, when the next read shall ask the source. Each also as a Result.
template <class R, class Value>
concept WriteResult = std::same_as<R, void> || std::convertible_to<R, Result<void>> ||
                      std::convertible_to<R, Result<Stored<Value>>> || LoadResult<R, Value>;

// A plain function as a writer: key and value in. It may block; the runtime calls it on a
// thread that may wait. An exception says that nothing was written, its text being the
// error; where that is not sure, throw Failure with kOutcomeUnknown, or return that.
template <class F, class Key, class Value>
concept WriteFunction = std::invocable<F&, const Key&, const Value&> &&
                        WriteResult<std::invoke_result_t<F&, const Key&, const Value&>, Value>;

// An object as a writer: `write(key, value)` as above; `remove(key)` if it can remove,
// which returns nothing, whether there was such a row, or either as a Result;
// `describe()` if it has something to say.
template <class W, class Key, class Value>
concept WriteObject = requires(W& writer, const Key& key, const Value& value) {
  { writer.write(key, value) } -> WriteResult<Value>;
};

template <class W, class Key>
concept RemoveObject = requires(W& writer, const Key& key) { writer.remove(key); };

// The same with the write's mark behind the other arguments, for a source that keeps it. Where
// nothing is written behind its journal is empty.
template <class F, class Key, class Value>
concept MarkedWriteFunction =
    std::invocable<F&, const Key&, const Value&, const WriteMark&> &&
    WriteResult<std::invoke_result_t<F&, const Key&, const Value&, const WriteMark&>, Value>;

template <class W, class Key, class Value>
concept MarkedWriteObject =
    requires(W& writer, const Key& key, const Value& value, const WriteMark& mark) {
      { writer.write(key, value, mark) } -> WriteResult<Value>;
    };

template <class W, class Key>
concept MarkedRemoveObject =
    requires(W& writer, const Key& key, const WriteMark& mark) { writer.remove(key, mark); };

// What a cache's option `writer` takes besides a Writer.
template <class W, class Key, class Value>
concept AnyWriter = WriteFunction<W, Key, Value> || WriteObject<W, Key, Value> ||
                    MarkedWriteFunction<W, Key, Value> || MarkedWriteObject<W, Key, Value>;

}  // namespace larder
