// How an asynchronous call of a cache begins, once its completion token has become a handler.
//
// Initiations are types with constructors, not lambdas: g++ 12 destroys a
// capturing lambda twice inside a co_await expression.
//
// Threads: any. Each holds the core, so the cache may go before the call begins.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "larder/answer.hpp"
#include "larder/detail/cache_write.hpp"
#include "larder/detail/collect.hpp"
#include "larder/detail/completion.hpp"
#include "larder/runtime.hpp"

namespace larder::detail {

// The outcomes of writes for who does not ask whether anything was changed.
[[nodiscard]] inline Result<void> done(const Result<bool>& outcome) {
  if (!outcome) return std::unexpected{outcome.error()};
  return {};
}
[[nodiscard]] inline std::vector<Result<void>> done(const std::vector<Result<bool>>& outcomes) {
  std::vector<Result<void>> results;
  results.reserve(outcomes.size());
  for (const Result<bool>& outcome : outcomes) results.push_back(done(outcome));
  return results;
}

template <class Key, class Value>
class Initiate {
  using Core = CacheCore<Key, Value>;
  using CorePtr = std::shared_ptr<Core>;
  using AnswerType = Answer<Value>;
  using Outcomes = std::vector<Result<bool>>;

 public:
  class GetMany {
   public:
    GetMany(CorePtr core, RuntimeHandle runtime)
        : core_{std::move(core)}, runtime_{std::move(runtime)} {}

    template <class Handler>
    void operator()(Handler&& handler, std::vector<Key> keys, ReadOptions options) const {
      const auto completion = hold(std::forward<Handler>(handler), runtime_);
      if (keys.empty()) return completion->complete(std::vector<AnswerType>{});
      const auto call = Core::call(
          keys.size(), collect<AnswerType>(keys.size(), [completion](std::vector<AnswerType> all) {
            completion->complete(std::move(all));
          }));
      arm(completion, core_, call);
      core_->fetch(call, keys, options);
    }

   private:
    CorePtr core_;
    RuntimeHandle runtime_;
  };

  class Get {
   public:
    Get(CorePtr core, RuntimeHandle runtime)
        : core_{std::move(core)}, runtime_{std::move(runtime)} {}

    template <class Handler>
    void operator()(Handler&& handler, Key key, ReadOptions options) const {
      const auto completion = hold(std::forward<Handler>(handler), runtime_);
      const auto call = Core::call(1, [completion](std::size_t, AnswerType answer) {
        completion->complete(std::move(answer));
      });
      arm(completion, core_, call);
      core_->fetch(call, std::span<const Key>{&key, 1}, options);
    }

   private:
    CorePtr core_;
    RuntimeHandle runtime_;
  };

  // `Completed` is what the caller gets: of its only write, or of each of many.
  template <class Completed>
  class WriteAll {
   public:
    WriteAll(CorePtr core, RuntimeHandle runtime)
        : core_{std::move(core)}, runtime_{std::move(runtime)} {}

    template <class Handler>
    void operator()(Handler&& handler, std::vector<Write<Key, Value>> writes,
                    WriteOptions options) const {
      const auto completion = hold(std::forward<Handler>(handler), runtime_);
      const std::size_t count = writes.size();
      if (count == 0) return completion->complete(completed(Outcomes{}));
      const auto call = std::make_shared<typename Core::WriteCall>(
          count, collect<Result<bool>>(count, [completion](Outcomes outcomes) {
            completion->complete(completed(std::move(outcomes)));
          }));
      completion->on_cancel([weak = std::weak_ptr{call}] {
        const auto waiting = weak.lock();
        if (!waiting) return;
        const Error error{Errc::kCancelled, "the caller cancelled its wait; the write goes on"};
        for (std::size_t i = 0; i < waiting->size(); ++i) {
          waiting->answer(i, std::unexpected{error});
        }
      });
      core_->write(call, std::move(writes), options);
    }

   private:
    static Completed completed(Outcomes outcomes) {
      if constexpr (std::same_as<Completed, Result<bool>>) {
        return std::move(outcomes.front());
      } else if constexpr (std::same_as<Completed, Result<void>>) {
        return done(outcomes.front());
      } else {
        return done(outcomes);
      }
    }

    CorePtr core_;
    RuntimeHandle runtime_;
  };

  // What needs no waiting, as an asynchronous call all the same, so that code
  // written against it need not change when another strategy makes it wait.
  template <class Outcome, class Operation>
  class AtOnce {
   public:
    AtOnce(CorePtr core, RuntimeHandle runtime, Operation operation)
        : core_{std::move(core)}, runtime_{std::move(runtime)}, operation_{std::move(operation)} {}

    template <class Handler>
    void operator()(Handler&& handler) {
      hold(std::forward<Handler>(handler), runtime_)->complete(Outcome{operation_(*core_)});
    }

   private:
    CorePtr core_;
    RuntimeHandle runtime_;
    Operation operation_;
  };

  // What is done at once in this process, and completes when the shared tier was told of it.
  template <class Operation>
  class OnceTold {
   public:
    OnceTold(CorePtr core, RuntimeHandle runtime, Operation operation)
        : core_{std::move(core)}, runtime_{std::move(runtime)}, operation_{std::move(operation)} {}

    template <class Handler>
    void operator()(Handler&& handler) {
      const auto completion = hold(std::forward<Handler>(handler), runtime_);
      const bool outcome = operation_(*core_);
      core_->once_told([completion, outcome] { completion->complete(bool{outcome}); });
    }

   private:
    CorePtr core_;
    RuntimeHandle runtime_;
    Operation operation_;
  };

 private:
  template <class Handler>
  static auto hold(Handler&& handler, const RuntimeHandle& runtime) {
    return std::make_shared<Completion<std::decay_t<Handler>>>(std::forward<Handler>(handler),
                                                               runtime.executor());
  }

  // Lets the caller's cancellation abandon its wait.
  template <class CompletionPtr>
  static void arm(const CompletionPtr& completion, const CorePtr& core,
                  const typename Core::CallPtr& call) {
    completion->on_cancel([weak = std::weak_ptr{call}, core_weak = std::weak_ptr{core}] {
      const auto waiting = weak.lock();
      const auto alive = core_weak.lock();
      if (waiting && alive) {
        alive->abandon(waiting, Error{Errc::kCancelled, "the caller cancelled its wait"});
      }
    });
  }
};

}  // namespace larder::detail
