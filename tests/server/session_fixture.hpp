// A session without a network: a test gives it bytes, reads its replies, and
// ends its loads by hand, on a clock that stands still.
//
// The keyspace: `product:{id:int}` read through a HandSource, `tag:{name}` plain.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/authenticator.hpp"
#include "cache/keyspace.hpp"
#include "larder/runtime.hpp"
#include "server/hand_source.hpp"
#include "server/server_state.hpp"
#include "server/session.hpp"

namespace larder::test {

// A command as clients send it; words are separated by blanks.
inline std::string command(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t blank = line.find(' ');
    words.push_back(line.substr(0, blank));
    line = blank == std::string_view::npos ? "" : line.substr(blank + 1);
  }
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    bytes += "$" + std::to_string(word.size()) + "\r\n" + std::string{word} + "\r\n";
  }
  return bytes;
}

class SessionTest : public ::testing::Test {
 public:
  // On `clock`, or else on one that stands still.
  explicit SessionTest(Limits limits = {}, const Clock* clock = nullptr)
      : runtime_{{.io_threads = 1,
                  .blocking_threads = 1,
                  .clock = clock == nullptr ? &clock_ : clock}},
        state_{keyspace_, limits, 1, {.config_file = "larder.toml", .port = 6380}, authenticator_} {
    open();
  }

  // A load that is not ended keeps its cache, and so its source, alive.
  ~SessionTest() override { source_->forget(); }

  // A new client instead of the old.
  void open() {
    session_.reset();
    session_.emplace(context_, state_.next_client_id(), [this] { ++wakes_; });
  }

  // What the client receives for what it sends; empty while it has to wait.
  std::string send(std::string_view bytes) {
    session_->receive(bytes);
    return received();
  }
  std::string ask(std::string_view line) { return send(command(line)); }

  // Answers to loads reach the client.
  std::string collect() {
    session_->collect();
    return received();
  }

  // What may be sent to the client now, all of it sent.
  std::string received() {
    std::string bytes;
    do {
      bytes += take(std::string::npos);
      session_->resume();
    } while (!session_->replies().ready().empty());
    session_->replies().keep();
    return bytes;
  }
  // The client reads no more than `most` bytes of it.
  std::string take(std::size_t most) {
    std::string bytes;
    auto& ready = session_->replies().ready();
    while (!ready.empty() && bytes.size() < most) {
      std::string_view piece[1];
      if (ready.gather(piece) == 0) break;
      const std::string_view some = piece[0].substr(0, most - bytes.size());
      bytes += some;
      ready.consume(some.size());
    }
    return bytes;
  }

  [[nodiscard]] CacheStats product_stats() const {
    return keyspace_.members()->at(0).cache->stats();
  }

  static KeyPattern pattern(std::string_view text) { return KeyPattern::parse(text).value(); }
  static std::vector<KeyspaceCache> caches(std::shared_ptr<HandSource> source) {
    std::vector<KeyspaceCache> all;
    all.push_back(
        {pattern("product:{id:int}"), {.name = "product", .source = source, .jitter = 0}});
    all.push_back({pattern("tag:{name}"), {.name = "tag", .jitter = 0}});
    return all;
  }

  ManualClock clock_;
  Runtime runtime_;
  std::shared_ptr<HandSource> source_ = std::make_shared<HandSource>();
  Keyspace keyspace_{runtime_, {.capacity = {16 << 20}}, caches(source_)};
  // Passwords are checked when the test says so.
  std::deque<std::move_only_function<void()>> checks_;
  std::shared_ptr<Authenticator> authenticator_ = std::make_shared<Authenticator>(
      Users::open(),
      [this](std::move_only_function<void()> check) { checks_.push_back(std::move(check)); });
  ServerState state_;
  SessionContext context_{.server = state_,
                          .limits = state_.limits(),
                          .counters = state_.counters(0),
                          .keys = KeyspaceView{keyspace_}};
  std::optional<Session> session_;
  int wakes_ = 0;
};

}  // namespace larder::test
