// Makes a Source of whatever the user has: a function, an object with load(),
// or a Source already.
#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/runtime.hpp"
#include "larder/source.hpp"

namespace larder {

namespace detail {

// Runs the user's blocking object on the runtime's blocking threads.
template <class Key, class Value, class S>
class BlockingSource final : public Source<Key, Value> {
 public:
  using typename Source<Key, Value>::Begin;
  using typename Source<Key, Value>::Done;

  // `cache` names whose source it is, in messages.
  BlockingSource(RuntimeHandle runtime, std::shared_ptr<S> object, std::string cache)
      : runtime_{std::move(runtime)}, object_{std::move(object)}, cache_{std::move(cache)} {}

  void load(std::vector<Key> keys, Done done) override {
    submit(std::move(keys), [] { return true; }, std::move(done));
  }

  void submit(std::vector<Key> keys, Begin begin, Done done) override {
    runtime_.block([object = object_, cache = cache_, keys = std::move(keys),
                    begin = std::move(begin), done = std::move(done)]() mutable {
      if (begin()) done(call(*object, cache, keys));
    });
  }

  [[nodiscard]] std::string describe() const override {
    if constexpr (requires(const S& s) {
                    { s.describe() } -> std::convertible_to<std::string>;
                  }) {
      return object_->describe();
    } else {
      return "a function";
    }
  }

  // A function of one key is called once a key, each call a load of its own, so
  // that slow calls run side by side as far as the gate allows.
  [[nodiscard]] std::size_t most_keys() const override {
    return LoadsMany<S, Key, Value> ? Source<Key, Value>::most_keys() : 1;
  }

 private:
  static std::vector<Loaded<Value>> call(S& object, const std::string& cache,
                                         const std::vector<Key>& keys) {
    try {
      if constexpr (LoadsMany<S, Key, Value>) {
        return object.load_many(std::span<const Key>{keys});
      } else {
        std::vector<Loaded<Value>> results;
        results.reserve(keys.size());
        for (const Key& key : keys) results.push_back(call_one(object, key));
        return results;
      }
    } catch (const Failure& failure) {
      return failed(cache, keys, failure.what(), outside(failure.error().code));
    } catch (const std::exception& exception) {
      return failed(cache, keys, exception.what());
    } catch (...) {
      return failed(cache, keys, "what is no std::exception");
    }
  }

  static Loaded<Value> call_one(S& object, const Key& key) {
    if constexpr (LoadObject<S, Key, Value>) {
      return as_loaded(object.load(key));
    } else {
      return as_loaded(object(key));
    }
  }

  template <class R>
  static Loaded<Value> as_loaded(R&& result) {
    if constexpr (std::convertible_to<R, Loaded<Value>>) {
      return std::forward<R>(result);
    } else {
      return Loaded<Value>{std::optional<Value>{std::forward<R>(result)}};
    }
  }

  static std::vector<Loaded<Value>> failed(const std::string& cache, const std::vector<Key>& keys,
                                           const std::string& why,
                                           Errc code = Errc::kSourceFailed) {
    const std::string message =
        "cache \"" + cache + "\", " + named(keys) + ": the source threw: " + why;
    std::vector<Loaded<Value>> results;  // filled one by one: a Value need not be copyable
    results.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      results.push_back(fail(code, message));
    }
    return results;
  }

  // What an error of a cache that the object read is for who reads this one: an end or a
  // limit is what it was, and all else is that this source failed.
  static Errc outside(Errc within) {
    switch (within) {
      case Errc::kCancelled:
      case Errc::kOverloaded:
      case Errc::kTimeout: return within;
      default: return Errc::kSourceFailed;
    }
  }

  // The keys for people, as far as they can be written and are not too long.
  static std::string named(const std::vector<Key>& keys) {
    constexpr std::size_t kLongest = 128;
    if (keys.size() > 1) return std::to_string(keys.size()) + " keys";
    if constexpr (std::integral<Key>) {
      return "key " + std::to_string(keys.front());
    } else if constexpr (std::convertible_to<const Key&, std::string_view>) {
      const std::string_view key{keys.front()};
      return "key \"" + std::string{key.substr(0, kLongest)} +
             (key.size() > kLongest ? "…\"" : "\"");
    } else {
      return "a key";
    }
  }

  RuntimeHandle runtime_;
  std::shared_ptr<S> object_;
  std::string cache_;
};

}  // namespace detail

// Threads: a plain value; what it holds is called from any thread, concurrently.
template <class Key, class Value>
class SourceOf {
 public:
  SourceOf() = default;

  template <class S>
    requires std::derived_from<S, Source<Key, Value>>
  SourceOf(std::shared_ptr<S> source)  // NOLINT: implicit, so that options read well
      : make_{source ? [source](Runtime&, const std::string&)
                           -> std::shared_ptr<Source<Key, Value>> { return source; }
                     : Make{}} {}

  // A function, or an object with load(). Blocking ones run on `runtime`'s blocking threads.
  template <class S>
    requires(!std::same_as<S, SourceOf> &&
             (LoadFunction<S, Key, Value> || LoadObject<S, Key, Value> || LoadsMany<S, Key, Value>))
  SourceOf(S object)  // NOLINT: implicit, as above
      : make_{
            [object = std::make_shared<S>(std::move(object))](
                Runtime& runtime, const std::string& cache) -> std::shared_ptr<Source<Key, Value>> {
              return std::make_shared<detail::BlockingSource<Key, Value, S>>(runtime.handle(),
                                                                             object, cache);
            }} {}

  // The source of the cache of that name; null if there is none.
  [[nodiscard]] std::shared_ptr<Source<Key, Value>> bind(Runtime& runtime,
                                                         const std::string& cache) const {
    return make_ ? make_(runtime, cache) : nullptr;
  }

 private:
  using Make =
      std::function<std::shared_ptr<Source<Key, Value>>(Runtime&, const std::string& cache)>;

  Make make_{};
};

}  // namespace larder
