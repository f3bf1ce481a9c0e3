// The backplane's stream, without I/O: what is written to it, what its replies mean, and
// whether something was missed.
//
// One stream in Redis. Who invalidates adds an entry in the same script as the
// invalidation itself. Who listens adds an entry of its own first (hello), and reads on
// from there. Before each read it looks whether the entry that it saw last is still there:
// a stream loses its oldest entries first, so if it is, nothing after it was lost.
//
// Threads: none of its own and no lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/clock.hpp"
#include "resp/reply_decoder.hpp"
#include "resp/request_writer.hpp"

namespace larder::shared {

// What a process announced.
struct Announcement {
  std::string cache;
  std::optional<std::string> key;  // none: the whole cache

  friend bool operator==(const Announcement&, const Announcement&) = default;
};

// An announcement as one message of a channel: who tells it, the cache, and behind ':' the
// key. `own` is 16 bytes; caches' names have no ':'.
[[nodiscard]] std::string announcement_message(std::string_view own, std::string_view cache,
                                               std::optional<std::string_view> key);
// None: of that process itself, or no such message.
[[nodiscard]] std::optional<Announcement> announcement_in(std::string_view message,
                                                          std::string_view own);

class Announcements {
 public:
  // A stream keeps about so many entries.
  static constexpr std::string_view kKept = "10000";
  // A read brings at most so many.
  static constexpr std::size_t kAtOnce = 1000;

  // `own` names this process: what it announced itself is passed over.
  Announcements(std::string stream, std::string own)
      : stream_{std::move(stream)}, own_{std::move(own)} {}

  [[nodiscard]] const std::string& stream() const { return stream_; }
  [[nodiscard]] const std::string& own() const { return own_; }

  // Whether it knows where it is; if not, hello() is due.
  [[nodiscard]] bool placed() const { return !last_.empty(); }
  void forget_place() { last_.clear(); }

  void write_hello(resp::RequestWriter& write) const;
  // False: the reply is no place.
  [[nodiscard]] bool take_hello(const resp::Reply& reply);

  // What one read of the stream brought.
  struct Read {
    std::vector<Announcement> announced;  // by others
    bool all = true;                      // false: it was full, so that more may wait
  };
  // Two commands. REQUIRES: placed().
  void write_read(resp::RequestWriter& write, Duration block) const;
  // None: something was missed, or may have been, and it has no place any more.
  [[nodiscard]] std::optional<Read> take_read(const resp::Reply& last, const resp::Reply& read);

 private:
  std::string stream_;
  std::string own_;
  std::string last_;  // the entry seen last; empty: none
};

}  // namespace larder::shared
