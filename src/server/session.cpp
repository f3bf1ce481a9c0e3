#include "server/session.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

#include "server/batch_timing.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/writable.hpp"
#include "server/redaction.hpp"
#include "server/slow_log.hpp"

namespace larder {

namespace {

resp::CommandLimits decoder_limits(const Limits& limits) {
  return {.max_arguments = limits.max_arguments,
          .max_argument = std::max(limits.max_value, limits.max_key),
          .max_request = limits.max_request};
}

// Moving so many bytes may take long.
constexpr std::size_t kWorthALook = std::size_t{64} << 10;

// The first words of HTTP requests, which a web page can have a browser send here.
bool is_http(std::string_view word) { return same_word(word, "post") || same_word(word, "host:"); }

}  // namespace

Session::Session(SessionContext& context, std::uint64_t id, std::function<void()> wake,
                 boost::asio::ip::address address, ClientOrigin origin)
    : context_{context},
      id_{id},
      wake_{std::move(wake)},
      address_{std::move(address)},
      identity_{context.server.authenticator()},
      decoder_{decoder_limits(context.limits)},
      replies_{context.output} {
  const User* const user = identity_.user();
  told_identity_ = identity_.changes();
  context_.server.clients().add(id_, std::move(origin), user == nullptr ? "" : user->name,
                                context_.keys.keyspace().clock().now(), activity_, wake_);
}

Session::~Session() {
  if (watches_commands()) watch_commands_no_more();
  for (const auto& [order, ordered] : orders_) {
    ordered.wait.abandon({Errc::kCancelled, "the client is gone"});
  }
  context_.server.clients().remove(id_);
  context_.server.leases().leave(id_, context_.keys.keyspace().clock().now());
  context_.server.tracking().leave(id_);  // which others may have had it join, until now
}

// ---- Bytes in. ----

void Session::receive(std::string_view bytes) {
  assert(wants_input());
  context_.counters.bytes_received.add(bytes.size());
  if (!input_.empty()) {
    input_ += bytes;
    return again();
  }
  const std::size_t used = run(bytes);
  if (!finished()) input_ = bytes.substr(used);
}

void Session::again() {
  const std::size_t used = run(input_);
  if (used == input_.size() || finished()) {
    std::string{}.swap(input_);  // an idle session keeps no memory
  } else {
    input_.erase(0, used);
  }
}

void Session::collect() {
  if (watches_commands()) take_shown();
  if (has_news()) take_news();
  if (!inbox_) return;
  const bool delivered = deliver(inbox_->take());
  const bool came = take_awaited();
  const bool told = take_told();
  const bool heard = take_lease_news();
  if ((delivered || came || told || heard) && blocked_) return again();
  order_misses();
  if (came) tell_activity(input_.size());
}

void Session::resume() {
  if (blocked_) return again();
  order_misses();
}

void Session::end_input() { ended_ = true; }

void Session::notice_change() {
  decoder_.set_limits(decoder_limits(context_.limits));
  if (identity_.refresh()) return;
  quitting_ = true;
  ended_ = true;
  blocked_ = false;
  std::string{}.swap(input_);
}

// Carries out what `input` holds, and what it waited for if that is already
// known; how many bytes of it are done with.
std::size_t Session::run(std::string_view input) {
  std::size_t used = 0;
  do {
    used += run_batch(input.substr(used));
  } while (order_misses() && blocked_);
  tell_activity(input.size() - used);
  return used;
}

// What others may know. Hot, once a batch: stores to what this thread alone writes.
void Session::tell_activity(std::size_t unread) {
  activity_.unread.store(unread, std::memory_order_relaxed);
  tell_activity();
}

void Session::tell_activity() {
  const auto tell = [](auto& member, auto value) {
    member.store(value, std::memory_order_relaxed);
  };
  tell(activity_.last, now_.time_since_epoch().count());
  tell(activity_.unsent, replies_.bytes());
  tell(activity_.protocol, protocol_);
  tell(activity_.queued,
       transaction_ ? static_cast<std::int32_t>(transaction_->queued().size()) : -1);
  tell(activity_.queued_bytes, transaction_ ? transaction_->bytes() : 0);
  if (identity_.changes() == told_identity_) return;
  told_identity_ = identity_.changes();
  const User* const user = identity_.user();
  context_.server.clients().set_user(id_, user == nullptr ? "" : user->name);
}

Introduction Session::introduction() const { return context_.server.clients().introduction(id_); }

void Session::introduce(Introduction introduction) {
  context_.server.clients().introduce(id_, std::move(introduction));
}

std::size_t Session::run_batch(std::string_view input) {
  using Outcome = resp::CommandDecoder::Outcome;
  const ExecutionGate::Turn turn{context_.server.gate(), context_.thread};
  now_ = context_.keys.keyspace().clock().now();
  context_.keys.refresh(now_);
  if (!identity_.refresh()) quit();  // its user is gone: it may come again as somebody
  blocked_ = false;
  BatchTiming timing{context_.keys.keyspace().clock(), context_.counters, now_};
  std::size_t used = 0;
  while (!quitting_) {
    const Outcome outcome = look_ahead(input, used);
    for (const Lookahead::Item& next : context_.ahead.items()) {
      if (full() || !carry_out_timed(next.command, next.words, timing)) {
        timing.settle();
        blocked_ = true;
        decoder_.rewind();  // to find the same command again
        return used;
      }
      used = next.end;
      if (quitting_) break;
    }
    settle(timing);
    if (outcome == Outcome::kCommand || quitting_) continue;
    used += decoder_.consumed();
    if (outcome == Outcome::kNeedMore) break;
    refuse_damage();
    quit();
  }
  if (quitting_) ended_ = true;
  return used;
}

// Decodes some commands from there on, and tells what stopped it; kCommand: enough
// for now. Hot: guarded by bench/server.
resp::CommandDecoder::Outcome Session::look_ahead(std::string_view input, std::size_t from) {
  using Outcome = resp::CommandDecoder::Outcome;
  Lookahead& ahead = context_.ahead;
  ahead.clear();
  while (!ahead.full()) {
    const Outcome outcome = decoder_.decode(input.substr(from));
    if (outcome != Outcome::kCommand) return outcome;
    from += decoder_.consumed();
    const Arguments words = decoder_.arguments();
    const Command* const command = find_command(words[0]);
    // An inline command's words lie in the decoder.
    const bool lasts = input.data() <= words[0].data() &&
                       words[0].data() < input.data() + input.size() &&
                       words.size() <= Lookahead::kMostWords;
    if (!lasts || from == input.size()) {
      ahead.add(command, words, from);
      return outcome;
    }
    ahead.add_copy(command, words, from);
    if (command != nullptr && command->keys.first == 1 && words.size() > 1) {
      context_.keys.prefetch(words[1]);
    }
  }
  return Outcome::kCommand;
}

// Whether the client has to read, or a load to end, before more is carried out.
bool Session::full() {
  const Limits& limits = context_.limits;
  if (replies_.ready().size() >= limits.send_batch.bytes) return true;
  if (replies_.bytes() + loading_bytes_ >= limits.max_reply_buffer.bytes) {
    context_.counters.count(LimitMet::kReplyBuffer);
    return true;
  }
  if (replies_.waiting() < limits.max_pipeline) return false;
  context_.counters.count(LimitMet::kPipeline);
  return true;
}

// What arrived is no request that is taken, and nothing behind it can be understood.
void Session::refuse_damage() {
  using Excess = resp::CommandDecoder::Excess;
  context_.counters.protocol_errors.add();
  std::string_view setting;
  switch (decoder_.excess()) {
    case Excess::kNone: break;
    case Excess::kArguments:
      context_.counters.count(LimitMet::kArguments);
      setting = "; see server.max_arguments";
      break;
    case Excess::kArgument:
      context_.counters.count(LimitMet::kValue);
      setting = "; see server.max_value";
      break;
    case Excess::kRequest:
      context_.counters.count(LimitMet::kRequest);
      setting = "; see server.max_request";
      break;
  }
  error("ERR " + decoder_.error() + std::string{setting});
}

std::size_t Session::kept_bytes() const {
  return (input_.empty() ? 0 : input_.capacity()) + decoder_.memory() + replies_.kept() +
         (transaction_ ? transaction_->bytes() : 0) + watches_.bytes() + loading_bytes_ +
         (tracked_ ? tracked_->bytes() : 0);
}

// ---- Commands. ----

// Carries out a command, and sees to it that its time is counted. Hot: guarded by
// bench/server.
bool Session::carry_out_timed(const Command* command, Arguments words, BatchTiming& timing) {
  if (command == nullptr) return answer_or_not(command, words);
  const bool alone = timed_alone(*command, words);
  if (alone) [[unlikely]]
    settle(timing);
  const Tally& carried_out = context_.counters.commands;
  const std::uint64_t earlier = carried_out.value();
  const std::size_t written = replies_.tail().size();
  if (!answer_or_not(command, words)) return false;
  if (carried_out.value() == earlier) return true;  // it was refused, or waits for EXEC

  timing.add(counted_as(*command, words));
  if (alone) [[unlikely]] {
    note_slow(*command, words, timing.settle());
  } else if (replies_.tail().size() >= written + kWorthALook) [[unlikely]] {
    // Among quick commands it is the one with bytes to move that takes long.
    note_slow(*command, words, timing.settle_last());
  }
  return true;
}

// Counts the time of the quick commands at the end of a look ahead.
void Session::settle(BatchTiming& timing) {
  const std::size_t together = timing.unsettled();
  const Duration took = timing.settle();
  if (together != 1 || context_.ahead.items().size() != 1) return;
  const Lookahead::Item& only = context_.ahead.items().front();
  note_slow(*only.command, only.words, took);
}

// Whether what it takes may be worth knowing by itself.
bool Session::timed_alone(const Command& command, Arguments words) const {
  constexpr Duration kWorthEachLook = std::chrono::milliseconds{1};
  return (command.flags & kFast) == 0 || words.size() > Lookahead::kMostWords ||
         words.back().size() >= kWorthALook || context_.limits.slowlog_slower_than < kWorthEachLook;
}

void Session::note_slow(const Command& command, Arguments words, Duration took) {
  const Limits& limits = context_.limits;
  if (took < limits.slowlog_slower_than || limits.slowlog_entries == 0) [[likely]]
    return;
  if (command.run == commands::exec) return;  // its commands were noted, each by itself
  ServerState& server = context_.server;
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  server.slow_log().add({.at = std::chrono::duration_cast<std::chrono::seconds>(since_1970),
                         .took = took,
                         .words = SlowLog::cut(redacted(command, words)),
                         .address = server.clients().origin(id_).address,
                         .client = introduction().name},
                        limits.slowlog_entries);
}

bool Session::answer_or_not(const Command* command, Arguments words) {
  return answers_ == Answers::kAll ? carry_out(command, words)
                                   : carry_out_unanswered(command, words);
}

// False: not now, but again when loads have ended.
bool Session::carry_out(const Command* command, Arguments words) {
  if (awaiting_) return false;
  const Command* const named = command;
  const auto rejected = [&] {
    if (named == nullptr) return true;
    const std::size_t counted = counted_as(*named, words);
    // A subcommand that there is not is no command's, as in Redis.
    const bool known =
        named->subcommands.empty() || words.size() < 2 || counted != index_of(*named);
    if (known) context_.counters.rejected_by_command[counted].add();
    return true;
  };
  command = understand(command, words);
  if (command == nullptr) return rejected();
  activity_.command.store(command, std::memory_order_relaxed);
  if (tracked_ && not_while_subscribed(*command)) return rejected();
  if (transaction_ && (command->flags & kNotQueued) == 0) {
    queue(*command, words);
    return true;
  }
  if (!loading_.empty() && must_wait(*command, words)) return false;
  if (!identity_.unlimited() && forbidden(*command, words)) return rejected();
  execute(*command, counted_as(*named, words), words);
  if (tracked_ && !transaction_ && !command->name.starts_with("client|")) {
    tracked_->caching = false;
  }
  return true;
}

void Session::execute(const Command& command, std::size_t counted, Arguments words) {
  Counters& counters = context_.counters;
  const std::uint64_t errors = counters.error_replies.value() - errors_inside_;
  if (tracked_) [[unlikely]]
    before_tracked(command, words);
  command.run(*this, words);
  if (tracked_ && tracked_->options.no_loop) context_.server.tracking().act(context_.thread, 0);
  if (counters.error_replies.value() - errors_inside_ != errors) {
    counters.failed_by_command[counted].add();
  }
  // Behind what it does, so that what tells of counts does not tell of itself, as in Redis.
  counters.commands.add();
  counters.by_command[counted].add();
  if (context_.server.monitors().watched()) [[unlikely]]
    show(command, words);
}

// The same for a client that wants no reply to it.
bool Session::carry_out_unanswered(const Command* command, Arguments words) {
  const Answers before = answers_;
  if (before == Answers::kNotNext) answers_ = Answers::kNotThisOne;
  bool done = false;
  unanswered([&] { done = carry_out(command, words); });
  if (!done) answers_ = before;
  return done;
}

// Takes back what `work` replies, unless it made the client want replies. A login
// replies later, and is then unanswered too.
template <class Work>
void Session::unanswered(Work&& work) {
  const std::size_t waiting = replies_.waiting();
  const std::size_t written = replies_.tail().size();
  work();
  if (awaiting_ || answers_ == Answers::kAll) return;
  if (replies_.waiting() > waiting) {
    replies_.hush();
  } else {
    replies_.tail().retract(replies_.tail().size() - written);
  }
  if (answers_ == Answers::kNotThisOne) answers_ = Answers::kAll;
}

// The command, or subcommand, that the words are for; null after an error reply.
const Command* Session::understand(const Command* command, Arguments words) {
  if (command == nullptr) {
    if (is_http(words[0])) {
      context_.counters.protocol_errors.add();
      quit();
      return nullptr;
    }
    return refuse(unknown_command(words));
  }
  const std::size_t counted = counted_as(*command, words);
  if (!command->subcommands.empty() && words.size() > 1) {
    if (counted == index_of(*command)) return refuse(unknown_subcommand(*command, words[1]));
    command = counted_commands()[counted];
  }
  if (!command->takes(words.size())) {
    return refuse(*command,
                  "wrong number of arguments for '" + std::string{command->name} + "' command");
  }
  return command;
}

// An error before the command could be carried out: it spoils the transaction.
const Command* Session::refuse(std::string_view why) {
  error(why);
  if (transaction_) transaction_->spoil();
  return nullptr;
}

// An EXEC that is refused ends the transaction.
const Command* Session::refuse(const Command& command, const std::string& why) {
  if (command.run != commands::exec) return refuse("ERR " + why);
  error("EXECABORT Transaction discarded because of: " + why);
  transaction_.reset();
  watches_.clear();
  return nullptr;
}

// Keeps the command for EXEC, if it can be carried out there.
void Session::queue(const Command& command, Arguments words) {
  if (!identity_.unlimited() && forbidden(command, words)) return transaction_->spoil();
  if ((command.flags & kNotInMulti) != 0) {
    refuse("ERR Command not allowed inside a transaction");
    return;
  }
  // What is answered later than the commands behind it are done.
  const bool logs_in =
      (command.flags & kSecret) != 0 &&
      std::ranges::any_of(words, [](std::string_view word) { return same_word(word, "auth"); });
  if (logs_in || command.run == commands::larder_reload) {
    refuse(logs_in ? "ERR AUTH inside MULTI is not allowed"
                   : "ERR LARDER RELOAD inside MULTI is not allowed");
    return;
  }
  bool refused = false;
  command.each_key(words, [&](std::string_view key) {
    refused = refused || commands::plain_cache(*this, key, "MULTI") == nullptr;
  });
  if (refused) return transaction_->spoil();
  if (!transaction_->queue(command, words, context_.limits.max_request.bytes)) {
    context_.counters.count(LimitMet::kRequest);
    return error("ERR the commands since MULTI have more than server.max_request, " +
                 std::to_string(context_.limits.max_request.bytes) + " bytes, together");
  }
  reply().simple("QUEUED");
}

void Session::run_queued(const Command& command, Arguments words) {
  const Command& named = *find_command(words[0]);
  if (!identity_.unlimited() && forbidden(command, words)) {
    return context_.counters.rejected_by_command[counted_as(named, words)].add();
  }
  const std::size_t before = replies_.tail().size();
  const std::size_t waiting = replies_.waiting();
  const Clock& clock = context_.keys.keyspace().clock();
  BatchTiming timing{clock, context_.counters, clock.now()};
  const std::uint64_t errors = context_.counters.error_replies.value();
  execute(command, counted_as(named, words), words);
  errors_inside_ += context_.counters.error_replies.value() - errors;
  timing.add(counted_as(named, words));
  note_slow(named, words, timing.settle());
  if (replies_.bytes() <= context_.limits.max_reply_buffer.bytes) return;
  if (replies_.waiting() > waiting) return;  // what waits to be told is a number or OK
  replies_.tail().retract(replies_.tail().size() - before);
  error_reply_too_large();
}

// ---- Watching others. ----

void Session::watch_commands() {
  if (watches_commands()) return;
  activity_.monitors.store(true, std::memory_order_relaxed);
  context_.server.monitors().add(id_, context_.limits.max_reply_buffer, wake_);
}

void Session::watch_commands_no_more() {
  activity_.monitors.store(false, std::memory_order_relaxed);
  context_.server.monitors().remove(id_);
}

// Shows a command to those who watch; none that is for administrators alone, as in Redis.
void Session::show(const Command& command, Arguments words) {
  if ((command.flags & (kAdmin | kUnshown)) != 0) return;
  ServerState& server = context_.server;
  server.monitors().tell(std::chrono::system_clock::now(), server.clients().origin(id_).address,
                         redacted(*find_command(words[0]), words));
  server.watch_memory(context_.limits.max_client_memory);
}

std::size_t Session::waiting_for_it() const {
  return (watches_commands() ? context_.server.monitors().waiting_for(id_) : 0) +
         (activity_.has_news.load(std::memory_order_relaxed)
              ? context_.server.tracking().waiting_for(id_)
              : 0);
}

// What others did goes to the client. One that does not read, or may not watch any
// more, is closed.
void Session::take_shown() {
  if (ended_) return watch_commands_no_more();
  const std::optional<std::string> lines = context_.server.monitors().take(id_);
  const bool fits =
      lines && replies_.bytes() + lines->size() <= context_.limits.max_reply_buffer.bytes;
  if (!fits) context_.counters.count(LimitMet::kReplyBuffer);
  if (fits && identity_.refresh() && identity_.administers()) {
    return replies_.tail().append(*lines);
  }
  watch_commands_no_more();
  activity_.killed.store(true, std::memory_order_relaxed);
}

// True after an error reply.
bool Session::forbidden(const Command& command, Arguments words) {
  const auto objection = identity_.objection(command, words, context_.keys);
  if (objection) error(*objection);
  return objection.has_value();
}

void Session::log_in(std::string_view user, std::string_view password, AfterLogin then) {
  context_.server.authenticator().log_in(
      user, password, address_, now_,
      [this, answer = await(), then = std::move(then)](const Login& login) mutable {
        answer([this, login, then = std::move(then)] {
          if (login.outcome == Login::Outcome::kAccepted) identity_.become(login.user);
          then(*this, login);
        });
      });
  take_awaited();  // which is there already when no password had to be checked
}

std::function<void(Inbox::Then)> Session::await() {
  if (!inbox_) inbox_ = std::make_shared<Inbox>(wake_);
  awaiting_ = true;
  return [inbox = inbox_](Inbox::Then then) { inbox->put(std::move(then)); };
}

// Whether it came.
bool Session::take_awaited() {
  if (!awaiting_) return false;
  auto then = inbox_->take_then();
  if (!then) return false;
  awaiting_ = false;
  if (answers_ == Answers::kAll) {
    then();
  } else {
    unanswered(then);
  }
  return true;
}

bool Session::must_wait(const Command& command, Arguments words) const {
  if ((command.flags & kJoins) != 0) return false;
  bool waits = (command.flags & kAlone) != 0;
  command.each_key(words, [&](std::string_view key) { waits = waits || loading_.contains(key); });
  return waits;
}

void Session::error(std::string_view text) {
  context_.counters.error_replies.add();
  context_.counters.errors_by_prefix[index_of_prefix(text)].add();
  // A client's word may end the text, and a line break the word.
  text = text.substr(0, text.find_last_not_of("\r\n") + 1);
  reply().error(text);
}

void Session::error_reply_too_large() {
  context_.counters.count(LimitMet::kReplyBuffer);
  error(reply_too_large(context_.limits.max_reply_buffer.bytes));
}

const Keyspace::Member* Session::route(std::string_view key) {
  if (key.size() > context_.limits.max_key.bytes) {
    context_.counters.count(LimitMet::kKey);
    error("ERR the key has " + std::to_string(key.size()) + " bytes; server.max_key is " +
          std::to_string(context_.limits.max_key.bytes));
    return nullptr;
  }
  const auto member = context_.keys.route(key);
  if (member) return *member;
  error(member.error());
  return nullptr;
}

}  // namespace larder
