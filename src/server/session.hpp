// One client's conversation: bytes in, commands, replies out in order.
//
// Hits are answered at once, written from the memory tier straight into the
// reply queue. A read that misses holds its place in the queue, and what comes
// behind it goes on; all that a batch of bytes misses is loaded together, at the
// end of the batch or before a command that depends on it. A command on a key
// that this client is waiting for waits until the load is done, and with it what
// follows: so the commands on one key take effect in their order.
//
// Bounded: a session stops asking for input (`wants_input`) while its client
// does not read what is ready, or too much waits for loads; a reply that would
// go beyond the reply buffer becomes an error. Values that were loaded and not
// sent fill the reply buffer, too: what is missed beyond it is loaded when there
// is room again, and what was ordered and not begun is called off.
//
// Logic without I/O: whoever owns the session gives it bytes, sends what its
// replies() hold, and calls it again when its inbox wakes.
//
// Threads: confined to one; its inbox alone takes answers from others.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cache/keyspace.hpp"
#include "resp/command_decoder.hpp"
#include "resp/output_buffer.hpp"
#include "resp/reply_writer.hpp"
#include "server/awaited_reply.hpp"
#include "server/client_identity.hpp"
#include "server/client_registry.hpp"
#include "server/command.hpp"
#include "server/counters.hpp"
#include "server/inbox.hpp"
#include "server/leases.hpp"
#include "server/limits.hpp"
#include "server/lookahead.hpp"
#include "server/reply_queue.hpp"
#include "server/server_state.hpp"
#include "server/tracked_client.hpp"
#include "server/transaction.hpp"

namespace larder {

// What the sessions of one thread share. Outlives them.
struct SessionContext {
  ServerState& server;
  Limits limits;  // the thread's own copy; see Worker::notice_change()
  Counters& counters;
  KeyspaceView keys;
  std::size_t thread = 0;  // its number
  std::minstd_rand random{std::random_device{}()};
  resp::OutputBuffer output{};  // where they write, one at a time; see ReplyQueue
  Lookahead ahead{};
};

class BatchTiming;

class Session {
 public:
  // `wake` is called, from any thread, when answers lie in the inbox: it must
  // lead to collect() on the session's thread.
  // `address` is the client's; of a Unix socket, the default one.
  Session(SessionContext& context, std::uint64_t id, std::function<void()> wake,
          boost::asio::ip::address address = {}, ClientOrigin origin = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // ---- For the owner. ----

  // Takes bytes from the client. REQUIRES: wants_input().
  void receive(std::string_view bytes);
  // Takes the answers that arrived, and goes on with what waited for them.
  void collect();
  // Goes on with what waited for replies to be sent.
  void resume();
  // No more bytes will come; what was asked is still answered.
  void end_input();

  [[nodiscard]] ReplyQueue& replies() { return replies_; }
  // Whether more bytes may be given.
  [[nodiscard]] bool wants_input() const { return !ended_ && !blocked_; }
  // Whether commands or loads wait that resume() may go on with.
  [[nodiscard]] bool blocked() const { return blocked_ || !misses_.empty(); }
  // Whether the client is somebody, or was once.
  [[nodiscard]] bool introduced() const { return identity_.introduced(); }
  // Whether a load, the check of a password or a reload is under way for it, or it
  // watches what others do.
  [[nodiscard]] bool awaits_answer() const {
    return replies_.waiting() > 0 || awaiting_ || watches_commands() || subscribed();
  }
  // Whether collect() has something to tell the client that it had no room for before.
  [[nodiscard]] bool has_news() const {
    return activity_.has_news.load(std::memory_order_acquire) &&
           replies_.bytes() < context_.limits.max_reply_buffer.bytes;
  }
  // Bytes of memory that it holds for its client between turns: what was received and
  // not carried out, replies that were not sent, a transaction, and what waits for loads.
  [[nodiscard]] std::size_t kept_bytes() const;
  // And bytes of what others do that wait for its collect(); others count these.
  [[nodiscard]] std::size_t waiting_for_it() const;
  // The limits or the users changed. A client whose user is gone is answered what it
  // waits for, and nothing more.
  void notice_change();
  // Says why the connection ends, and ends it. REQUIRES: !blocked().
  void dismiss(std::string_view why) {
    error(why);
    ended_ = true;
  }
  // Somebody wants the client gone: its connection is closed without further ado.
  [[nodiscard]] bool killed() const { return activity_.killed.load(std::memory_order_relaxed); }
  // Nothing more will be carried out: once replies() is empty, it is over.
  [[nodiscard]] bool finished() const { return ended_ && !blocked_ && !awaiting_; }

  // ---- For commands. ----

  [[nodiscard]] SessionContext& context() { return context_; }
  [[nodiscard]] KeyspaceView& keys() { return context_.keys; }
  // The time at which the batch began that the command is part of.
  [[nodiscard]] TimePoint now() const { return now_; }
  // Where the command's reply goes.
  [[nodiscard]] resp::ReplyWriter reply() { return resp::ReplyWriter{replies_.tail(), protocol_}; }
  // An error reply: a prefix and a sentence, "ERR no such thing".
  void error(std::string_view text);
  void error(const Error& error) { this->error(error_line(error)); }

  // The same for a reply that does not fit into what is free of the reply buffer.
  void error_reply_too_large();

  // The cache that `key` belongs to; null after an error reply that says why.
  [[nodiscard]] const Keyspace::Member* route(std::string_view key);

  // Runs `work` while no other connection's command runs; see ExecutionGate. May
  // be nested. What the keyspace's view gave before may be gone: the caches may be
  // replaced before the work begins.
  template <class Work>
  void alone(Work&& work) {
    if (alone_) return std::forward<Work>(work)();
    alone_ = true;
    context_.server.gate().alone(context_.thread, [&] {
      context_.keys.refresh();
      std::forward<Work>(work)();
    });
    alone_ = false;
  }

  // Between MULTI and EXEC; and what WATCH named.
  [[nodiscard]] std::optional<Transaction>& transaction() { return transaction_; }
  [[nodiscard]] Watches& watches() { return watches_; }
  // Carries out one command of a transaction. A reply that does not fit into the
  // reply buffer becomes an error.
  void run_queued(const Command& command, Arguments words);

  // Replies that read through: the value of a key, something else about it, the
  // values of several, and how many of them have one.
  void read(std::string_view key);
  void read_as(AwaitedReply::Form form, std::string_view key);
  void read_all(Arguments keys);
  void count_all(Arguments keys);
  // Loads the value of a key anew, whether memory has it or not; the reply is 1 if there
  // is one, else 0. REQUIRES: `member` is the key's, and has a source.
  void load_anew(const Keyspace::Member& member, std::string_view key);

  // Replies the value of a key and null; or null and a token, which makes the client its
  // loader for so long as `lease`; or, after a wait for who is, whichever there is then; or
  // two nulls. REQUIRES: `member` is the key's, and has no source.
  void lease(const Keyspace::Member& member, std::string_view key, Duration wait, Duration lease);

  [[nodiscard]] ClientIdentity& identity() { return identity_; }
  // Checks a user's password, becomes that user if it is right, and calls `then`, which
  // writes the reply. Nothing else is carried out before.
  using AfterLogin = std::function<void(Session&, const Login&)>;
  void log_in(std::string_view user, std::string_view password, AfterLogin then);

  // Replies OK, or `number`, when the shared tier has confirmed what was invalidated of
  // `caches`, or it cannot be told now. What comes behind goes on; only the replies wait.
  void ok_once_told(std::span<BytesCache* const> caches);
  void integer_once_told(std::int64_t number, std::span<BytesCache* const> caches);

  // Lets everything behind this command wait until what it gives back is called, once,
  // by any thread, with what is then done on the session's own, if there is still a
  // session: to write the reply.
  [[nodiscard]] std::function<void(Inbox::Then)> await();

  void speak(resp::Protocol protocol) { protocol_ = protocol; }
  [[nodiscard]] resp::Protocol protocol() const { return protocol_; }
  // Nothing after this command is carried out.
  void quit() { quitting_ = true; }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  // What the client says of itself.
  [[nodiscard]] Introduction introduction() const;
  void introduce(Introduction introduction);
  // Shows the client all commands that are carried out from now on; see MonitorFeed.
  void watch_commands();
  void watch_commands_no_more();
  [[nodiscard]] bool watches_commands() const {
    return activity_.monitors.load(std::memory_order_relaxed);
  }
  // Tells the client which keys changed, from now on, or no more; see Tracking.
  [[nodiscard]] TrackedClient& tracked() {
    if (!tracked_) tracked_ = std::make_unique<TrackedClient>();
    return *tracked_;
  }
  void track();
  void track_no_more();
  // Whether it listens on the channel on which clients of RESP2 are told.
  [[nodiscard]] bool subscribed() const { return tracked_ && tracked_->subscribed; }
  void subscribe(bool on);

  // What others see of what it does; see ClientRegistry.
  [[nodiscard]] ClientActivity& activity() { return activity_; }
  void tell_activity();

  // Which of the client's commands are answered: CLIENT REPLY.
  enum class Answers : std::uint8_t {
    kAll,
    kNone,
    kNotNext,     // all but the next one
    kNotThisOne,  // that one is being carried out
  };
  [[nodiscard]] Answers answers() const { return answers_; }
  void answer(Answers which) { answers_ = which; }

 private:
  // A key to load, where its value belongs, and from which cache.
  struct Miss {
    std::shared_ptr<BytesCache> cache;
    std::string key;
    LoadOrder::Item item;
    bool anew = false;  // even if there is a copy
  };
  // A load that was ordered, while answers to it are to come.
  struct Ordered {
    std::shared_ptr<BytesCache> cache;
    BytesCache::Wait wait;
    bool anew;
    std::size_t owed;
    bool recalled = false;  // its keys are ordered again, one day
  };
  // A wait for what another client loads.
  struct LeaseWait {
    std::string key;
    TimePoint until;
    Duration lease;
    ReplyQueue::Place place = 0;
  };
  using LeaseWaits = std::unordered_map<std::uint64_t, LeaseWait>;  // by their numbers in Leases
  struct LeaseLook {
    Handle<std::string> copy;  // null: there was none, and this came of it
    Leases::Taken taken{};
  };
  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const {
      return std::hash<std::string_view>{}(key);
    }
  };

  void again();
  std::size_t run(std::string_view input);
  std::size_t run_batch(std::string_view input);
  resp::CommandDecoder::Outcome look_ahead(std::string_view input, std::size_t from);
  bool carry_out_timed(const Command* command, Arguments words, BatchTiming& timing);
  bool answer_or_not(const Command* command, Arguments words);
  void settle(BatchTiming& timing);
  [[nodiscard]] bool timed_alone(const Command& command, Arguments words) const;
  void note_slow(const Command& command, Arguments words, Duration took);
  bool carry_out(const Command* command, Arguments words);
  void execute(const Command& command, std::size_t counted, Arguments words);
  bool carry_out_unanswered(const Command* command, Arguments words);
  void tell_activity(std::size_t unread);
  void show(const Command& command, Arguments words);
  void take_shown();
  void before_tracked(const Command& command, Arguments words);
  void take_news();
  void write_news(const Tracking::News& news, resp::OutputBuffer& output);
  void tell_if_not_kept(std::string_view key);
  [[nodiscard]] bool may_know(std::string_view key) const;
  [[nodiscard]] bool not_while_subscribed(const Command& command);
  template <class Work>
  void unanswered(Work&& work);
  const Command* understand(const Command* command, Arguments words);
  [[nodiscard]] bool forbidden(const Command& command, Arguments words);
  bool take_awaited();
  void reply_once_told(AwaitedReply::Form form, std::span<BytesCache* const> caches);
  bool take_told();
  const Command* refuse(std::string_view why);
  const Command* refuse(const Command& command, const std::string& why);
  void queue(const Command& command, Arguments words);
  [[nodiscard]] bool must_wait(const Command& command, Arguments words) const;
  [[nodiscard]] bool full();

  template <class Visitor>
  bool visit(std::string_view key, Visitor&& visitor);
  bool write_hit(std::string_view key);
  void read_missing(AwaitedReply::Form form, std::string_view key);
  void read_some(Arguments keys, AwaitedReply::Shape shape, std::size_t counted);
  void hold_for(AwaitedReply reply, std::vector<Miss> misses);
  bool order_misses();
  [[nodiscard]] std::size_t room_for_loads();
  void order(std::size_t count);
  bool deliver(const std::vector<Inbox::Letter>& letters);
  void take_answer(std::string_view key, LoadOrder::Item item, const Answer<std::string>& answer);
  void recall();
  void drop_futile();
  void refuse_damage();

  // session_leases.cpp
  [[nodiscard]] LeaseLook look_for_lease(BytesCache& cache, const LeaseWait& wait,
                                         std::uint64_t number);
  [[nodiscard]] std::string no_room_for_lease(Leases::Taken::Step step);
  bool take_lease_news();
  void hear_of_lease(LeaseNews news);
  void look_again_for_lease(std::uint64_t number);
  void answer_with_token(std::uint64_t number, std::string token);
  void end_lease_wait(std::uint64_t number, std::size_t element, const Answer<std::string>& answer);

  SessionContext& context_;
  const std::uint64_t id_;
  const std::function<void()> wake_;
  const boost::asio::ip::address address_;
  ClientIdentity identity_;
  bool awaiting_ = false;  // see await()
  resp::Protocol protocol_ = resp::Protocol::kResp2;
  bool blocked_ = false;   // commands lie in input_ that cannot be carried out yet
  bool ended_ = false;     // no more input is taken
  bool quitting_ = false;  // this command is the last
  TimePoint now_{};
  resp::CommandDecoder decoder_;
  ClientActivity activity_;
  unsigned told_identity_ = 0;  // the change of identity_ that the registry knows of
  Answers answers_ = Answers::kAll;
  std::optional<Transaction> transaction_;
  Watches watches_;
  std::unique_ptr<TrackedClient> tracked_;  // null in most
  bool alone_ = false;                      // within alone()
  std::uint64_t errors_inside_ = 0;         // of commands inside an EXEC, which are not its own
  std::string input_;                       // what was received and not carried out
  ReplyQueue replies_;

  // What waits for loads; empty in an idle session.
  std::vector<Miss> misses_;                                                     // not ordered yet
  std::unordered_map<std::string, unsigned, KeyHash, std::equal_to<>> loading_;  // and how often
  std::size_t loading_bytes_ = 0;  // that these keys take, here and on their way
  std::unordered_map<const LoadOrder*, Ordered> orders_;
  std::size_t on_way_ = 0;                   // keys that orders_ owe
  std::size_t expected_bytes_ = 0;           // of a value, as far as its last ones tell
  bool futile_ = false;                      // some wait for a reply that has failed already
  std::shared_ptr<Inbox> inbox_;             // null before the first miss
  std::unique_ptr<LeaseWaits> lease_waits_;  // null in most
};

}  // namespace larder
