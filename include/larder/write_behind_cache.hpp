// WriteBehindCache: a Cache whose writes are acknowledged when they are in a journal on disk, and
// go to the source a moment later, with others.
//
//   auto journal = larder::Journal::open({.path = "journal"}).value();
//   larder::WriteBehindCache<std::int64_t, Product> products{runtime, journal, {
//       .name = "product",
//       .source = larder::sql<std::int64_t, Product>(shop, kRead),
//       .writer = larder::sql_writer<std::int64_t, Product>(shop, {…}),
//   }};
//
//   products.put(42, product);  // on disk
//   products.get(42);           // what was put, although the source may not have it yet
//   products.flush();           // now it has
//
// It is a Cache in all else: put, put_many, remove and their async_ forms as there, with the
// errors of the journal (kOverloaded: it is full) in the place of the source's. What was put is
// the whole value until it is flushed; then what the source makes of it is read.
//
// A source that refuses a write for good (kRejected, kConflict), or says that it can never be done
// (kBadValue, kInvalidArgument, kRefused, kInternal), makes it a dead letter in the journal. What
// else fails, and kRejected with a state of SQLSTATE's class 42, is tried again, later each time,
// and holds up its key alone unless all fail. Each key's writes come in their order, at least once:
// after a crash one may come again, with the same WriteMark (writer.hpp), by which the source can
// do it once. Of several pending writes of a key only the last is sent.
//
// Keys and values are kept by their codecs (codec.hpp), so both need one. The cache's name says
// whose writes they are: keep it, and its types readable, while writes of it are pending.
//
// Threads: as Cache. Destroying it flushes nothing: what is pending stays in the journal, and
// goes to the source when the program has opened that again and made the cache.
#pragma once

#include <atomic>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "larder/cache.hpp"
#include "larder/codec.hpp"
#include "larder/detail/behind_text.hpp"
#include "larder/detail/completion.hpp"
#include "larder/journal.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

template <class Key>
struct WriteBehindOptions {
  // Behaviour.
  Durability durability = Durability::kSync;
  // Told of each write that the source refuses for good, on whatever thread it refused it.
  std::function<void(const Key& key, const Error& why)> refused{};
  // Speed.
  Duration flush_delay = std::chrono::milliseconds{10};  // that a write waits for company
  std::size_t flush_batch = 256;                         // writes that go together, at most
};

namespace detail {

// What stands between the cache and its source, made before the cache is.
template <class Key, class Value>
class Behind {
 protected:
  // Puts it in the place of the options' source and writer.
  Behind(Runtime& runtime, std::shared_ptr<Journal> journal, CacheOptions<Key, Value>& options,
         WriteBehindOptions<Key> behind)
      : journal_{std::move(journal)} {
    const auto source = options.source.bind(runtime, options.name);
    const auto writer = options.writer.bind(runtime, options.name);
    const auto refuse = [&](const char* why) {
      throw std::invalid_argument{"cache \"" + options.name + "\": " + why};
    };
    if (!journal_) refuse("to write behind it needs a journal");
    if (!source || !writer) refuse("to write behind it needs a source and a writer");
    if (options.shared) refuse("a cache that writes behind keeps nothing in a shared tier");
    if (behind.flush_batch == 0) refuse("flush_batch must be at least 1");
    auto text =
        journal_->behind(runtime, {.name = options.name,
                                   .writer = std::make_shared<WriterAsText<Key, Value>>(writer),
                                   .durability = behind.durability,
                                   .flush_delay = behind.flush_delay,
                                   .flush_batch = behind.flush_batch,
                                   .refused = told<Key>(std::move(behind.refused))});
    if (!text) refuse(text.error().message.c_str());
    text_ = std::move(*text);
    options.source = std::make_shared<SourceFromText<Key, Value>>(
        text_->over(std::make_shared<SourceAsText<Key, Value>>(source)));
    options.writer = std::make_shared<WriterFromText<Key, Value>>(text_->writer());
    options.strategy = Strategy::kWriteBehind;
  }

  const std::shared_ptr<Journal> journal_;
  std::shared_ptr<TextBehind> text_;
};

// The cache that is told of flushes, as long as there is one.
template <class Key, class Value>
class FlushListener {
 public:
  explicit FlushListener(Cache<Key, Value>* cache) : cache_{cache} {}

  void flushed(const std::string& text) LARDER_EXCLUDES(mutex_) {
    const Result<Key> key = from_text<Key>(text);
    const MutexLock lock{mutex_};
    if (cache_ == nullptr) return;
    if (key)
      cache_->invalidate(*key);
    else
      cache_->clear();  // whose it was nobody can say
  }
  void leave() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    cache_ = nullptr;
  }

 private:
  Mutex mutex_;
  Cache<Key, Value>* cache_ LARDER_GUARDED_BY(mutex_);
};

// How async_flush() begins; see initiate.hpp for why it is no lambda.
class InitiateFlush {
 public:
  InitiateFlush(std::shared_ptr<TextBehind> text, RuntimeHandle runtime, std::string cache)
      : text_{std::move(text)}, runtime_{std::move(runtime)}, cache_{std::move(cache)} {}

  [[nodiscard]] static Result<void> outcome(bool flushed, const std::string& cache) {
    if (flushed) return {};
    return fail(Errc::kCancelled, "cache \"" + cache +
                                      "\": the runtime stopped before all was flushed; what is "
                                      "left is in the journal");
  }

  template <class Handler>
  void operator()(Handler&& handler) const {
    const auto completion = std::make_shared<Completion<std::decay_t<Handler>>>(
        std::forward<Handler>(handler), runtime_.executor());
    const auto over = std::make_shared<std::atomic<bool>>(false);
    completion->on_cancel([weak = std::weak_ptr{completion}, over] {
      const auto waiting = weak.lock();
      if (!waiting || over->exchange(true)) return;
      waiting->complete(
          Result<void>{fail(Errc::kCancelled, "the caller cancelled its wait; the flush goes on")});
    });
    text_->flush([completion, over, cache = cache_](bool flushed) {
      if (!over->exchange(true)) completion->complete(outcome(flushed, cache));
    });
  }

 private:
  std::shared_ptr<TextBehind> text_;
  RuntimeHandle runtime_;
  std::string cache_;
};

}  // namespace detail

template <class Key, class Value>
  requires Codec<DefaultCodec<Key>, Key> && Codec<DefaultCodec<Value>, Value>
class WriteBehindCache final : private detail::Behind<Key, Value>, public Cache<Key, Value> {
 public:
  // `options` as of a Cache that writes through: source and writer are the real ones. What the
  // journal keeps of a cache of this name is pending from now on. Throws std::invalid_argument
  // for what cannot work.
  WriteBehindCache(Runtime& runtime, std::shared_ptr<Journal> journal,
                   CacheOptions<Key, Value> options, WriteBehindOptions<Key> behind = {})
      : detail::Behind<Key, Value>{runtime, std::move(journal), options, std::move(behind)},
        Cache<Key, Value>{runtime, std::move(options)},
        handle_{runtime.handle()},
        listener_{std::make_shared<detail::FlushListener<Key, Value>>(this)} {
    this->text_->on_flushed(
        [listener = listener_](const std::string& key) { listener->flushed(key); });
    this->text_->start();
  }
  ~WriteBehindCache() { listener_->leave(); }
  WriteBehindCache(const WriteBehindCache&) = delete;
  WriteBehindCache& operator=(const WriteBehindCache&) = delete;

  // Waits until the source has, or has refused, all that was acknowledged before, and what came
  // meanwhile. kTimeout: it has not yet; it goes on. kCancelled: the runtime stopped.
  // Blocks: not on an I/O thread (kInvalidArgument).
  Result<void> flush(std::optional<Duration> timeout = {}) {
    const std::string where = "cache \"" + this->name() + "\": ";
    if (handle_.on_io_thread()) {
      return fail(Errc::kInvalidArgument,
                  where +
                      "a blocking call on an I/O thread would stop everything else on it; use "
                      "async_flush");
    }
    const Result<WaitScope> waiting = WaitScope::begin();
    if (!waiting) return fail(waiting.error().code, where + waiting.error().message);
    const auto flushed = std::make_shared<std::promise<bool>>();
    auto answer = flushed->get_future();
    this->text_->flush([flushed](bool all) { flushed->set_value(all); });
    if (timeout && answer.wait_for(*timeout) != std::future_status::ready) {
      return fail(Errc::kTimeout, where + std::to_string(write_behind_stats().backlog) +
                                      " writes are not flushed yet; they go on");
    }
    return detail::InitiateFlush::outcome(answer.get(), this->name());
  }

  // Completion signature: void(Result<void>), as flush(). Every kind of cancellation ends this
  // call with kCancelled.
  template <class Token = boost::asio::deferred_t>
  auto async_flush(Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(Result<void>)>(
        detail::InitiateFlush{this->text_, handle_, this->name()}, token);
  }

  [[nodiscard]] WriteBehindStats write_behind_stats() const { return this->text_->stats(); }

 private:
  const RuntimeHandle handle_;
  const std::shared_ptr<detail::FlushListener<Key, Value>> listener_;
};

}  // namespace larder
