// How a cache's option `writer` takes whatever can be one; writer.hpp says what can.
#pragma once

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "larder/runtime.hpp"
#include "larder/writer.hpp"

namespace larder {

namespace detail {

// Runs the user's blocking object on the runtime's blocking threads.
template <class Key, class Value, class W>
class BlockingWriter final : public Writer<Key, Value> {
 public:
  using typename Writer<Key, Value>::Begin;
  using typename Writer<Key, Value>::Done;
  using Outcome = Result<Stored<Value>>;

  // `cache` names whose writer it is, in messages.
  BlockingWriter(RuntimeHandle runtime, std::shared_ptr<W> object, std::string cache)
      : runtime_{std::move(runtime)}, object_{std::move(object)}, cache_{std::move(cache)} {}

  void submit(std::vector<Write<Key, Value>> writes, Begin begin, Done done) override {
    runtime_.block([object = object_, cache = cache_, writes = std::move(writes),
                    begin = std::move(begin), done = std::move(done)]() mutable {
      if (!begin()) return;
      std::vector<Outcome> outcomes;
      outcomes.reserve(writes.size());
      for (const Write<Key, Value>& write : writes) {
        outcomes.push_back(call(*object, cache, write));
      }
      done(std::move(outcomes));
    });
  }

  [[nodiscard]] std::string describe() const override {
    if constexpr (requires(const W& w) {
                    { w.describe() } -> std::convertible_to<std::string>;
                  }) {
      return object_->describe();
    } else {
      return "a function";
    }
  }
  [[nodiscard]] bool removes() const override {
    return RemoveObject<W, Key> || MarkedRemoveObject<W, Key>;
  }
  [[nodiscard]] bool keeps_marks() const override {
    return MarkedWriteObject<W, Key, Value> || MarkedWriteFunction<W, Key, Value>;
  }
  // Slow calls run side by side, as far as the limits allow.
  [[nodiscard]] std::size_t most_writes() const override { return 1; }

 private:
  static Outcome call(W& object, const std::string& cache, const Write<Key, Value>& write) {
    const auto threw = [&cache](Errc code, const char* what) -> Outcome {
      return fail(code, "cache \"" + cache + "\": the writer threw: " + what);
    };
    try {
      const WriteMark mark = write.mark.value_or(WriteMark{});
      return write.value ? put(object, write.key, *write.value, mark)
                         : remove(object, write.key, mark);
    } catch (const Failure& failure) {
      return threw(failure.error().code, failure.what());
    } catch (const std::exception& exception) {
      return threw(Errc::kSourceFailed, exception.what());
    } catch (...) {
      return threw(Errc::kSourceFailed, "what is no std::exception");
    }
  }

  static Outcome put(W& object, const Key& key, const Value& value, const WriteMark& mark) {
    const auto run = [&]() -> decltype(auto) {
      if constexpr (MarkedWriteObject<W, Key, Value>) {
        return object.write(key, value, mark);
      } else if constexpr (MarkedWriteFunction<W, Key, Value>) {
        return object(key, value, mark);
      } else if constexpr (WriteObject<W, Key, Value>) {
        return object.write(key, value);
      } else {
        return object(key, value);
      }
    };
    using R = decltype(run());
    if constexpr (std::same_as<R, void>) {
      run();
      return Stored<Value>{.told = false};
    } else if constexpr (std::convertible_to<R, Outcome>) {
      return run();
    } else if constexpr (std::convertible_to<R, Result<void>>) {
      const Result<void> result = run();
      if (!result) return std::unexpected{result.error()};
      return Stored<Value>{.told = false};
    } else if constexpr (std::convertible_to<R, Loaded<Value>>) {
      Loaded<Value> result = run();
      if (!result) return std::unexpected{std::move(result.error())};
      return Stored<Value>{.value = std::move(*result)};
    } else {
      return Stored<Value>{.value = std::optional<Value>{run()}};
    }
  }

  static Outcome remove(W& object, const Key& key, const WriteMark& mark) {
    const auto run = [&]() -> decltype(auto) {
      if constexpr (MarkedRemoveObject<W, Key>) {
        return object.remove(key, mark);
      } else if constexpr (RemoveObject<W, Key>) {
        return object.remove(key);
      }
    };
    if constexpr (RemoveObject<W, Key> || MarkedRemoveObject<W, Key>) {
      using R = decltype(run());
      if constexpr (std::same_as<R, void>) {
        run();
        return Stored<Value>{};
      } else if constexpr (std::convertible_to<R, bool>) {
        return Stored<Value>{.changed = run()};
      } else if constexpr (std::convertible_to<R, Result<bool>>) {
        const Result<bool> result = run();
        if (!result) return std::unexpected{result.error()};
        return Stored<Value>{.changed = *result};
      } else {
        const Result<void> result = run();
        if (!result) return std::unexpected{result.error()};
        return Stored<Value>{};
      }
    } else {
      return fail(Errc::kRefused, "this writer removes nothing");
    }
  }

  RuntimeHandle runtime_;
  std::shared_ptr<W> object_;
  std::string cache_;
};

}  // namespace detail

// Threads: a plain value; what it holds is called from any thread, concurrently.
template <class Key, class Value>
class WriterOf {
 public:
  WriterOf() = default;

  template <class W>
    requires std::derived_from<W, Writer<Key, Value>>
  WriterOf(std::shared_ptr<W> writer)  // NOLINT: implicit, so that options read well
      : make_{writer ? [writer](Runtime&, const std::string&)
                           -> std::shared_ptr<Writer<Key, Value>> { return writer; }
                     : Make{}} {}

  // A function, or an object with write(). They run on `runtime`'s blocking threads.
  template <class W>
    requires(!std::same_as<W, WriterOf> && AnyWriter<W, Key, Value>)
  WriterOf(W object)  // NOLINT: implicit, as above
      : make_{
            [object = std::make_shared<W>(std::move(object))](
                Runtime& runtime, const std::string& cache) -> std::shared_ptr<Writer<Key, Value>> {
              return std::make_shared<detail::BlockingWriter<Key, Value, W>>(runtime.handle(),
                                                                             object, cache);
            }} {}

  // The writer of the cache of that name; null if there is none.
  [[nodiscard]] std::shared_ptr<Writer<Key, Value>> bind(Runtime& runtime,
                                                         const std::string& cache) const {
    return make_ ? make_(runtime, cache) : nullptr;
  }

 private:
  using Make =
      std::function<std::shared_ptr<Writer<Key, Value>>(Runtime&, const std::string& cache)>;

  Make make_{};
};

}  // namespace larder
