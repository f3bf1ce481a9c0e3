// What a session tells its client of keys that changed.
#include "server/session.hpp"

namespace larder {

namespace {

// Under the name of CLIENT TRACKING's messages, what follows: one key, or null for all.
void write_head(resp::ReplyWriter& writer) {
  if (writer.protocol() == resp::Protocol::kResp3) {
    writer.push(2);
    return writer.bulk("invalidate");
  }
  writer.array(3);
  writer.bulk("message");
  writer.bulk(kInvalidationChannel);
}

}  // namespace

void Session::track() {
  ServerState& server = context_.server;
  server.clients().visit(id_, [&](const std::string&, ClientActivity& activity, const auto& wake) {
    server.tracking().join(id_, activity.has_news, wake);
  });
  server.tracking().track(id_, tracked_->options);
  tracked_->on = true;
  activity_.tracks.store(true, std::memory_order_relaxed);
  activity_.broadcasts.store(tracked_->options.broadcasts, std::memory_order_relaxed);
  activity_.redirect.store(tracked_->options.redirect, std::memory_order_relaxed);
  activity_.redirect_broken.store(false, std::memory_order_relaxed);
}

void Session::track_no_more() {
  if (!tracked_ || !tracked_->on) return;
  context_.server.tracking().track_no_more(id_);
  *tracked_ = {.subscribed = tracked_->subscribed};
  activity_.tracks.store(false, std::memory_order_relaxed);
  activity_.broadcasts.store(false, std::memory_order_relaxed);
  activity_.redirect.store(0, std::memory_order_relaxed);
  activity_.redirect_broken.store(false, std::memory_order_relaxed);
}

void Session::subscribe(bool on) {
  if (on || tracked_) tracked().subscribed = on;
  activity_.subscribed.store(on, std::memory_order_relaxed);
}

// A client of RESP2 that listens hears messages where replies are expected.
bool Session::not_while_subscribed(const Command& command) {
  if (!tracked_->subscribed || protocol_ == resp::Protocol::kResp3) return false;
  if ((command.flags & kWhileSubscribed) != 0) return false;
  refuse(command, "Can't execute '" + std::string{command.name} +
                      "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed "
                      "in this context");
  return true;
}

// What the client is about to read is remembered before it is, so that no change after it
// was read is missed.
void Session::before_tracked(const Command& command, Arguments words) {
  Tracking& tracking = context_.server.tracking();
  if (tracked_->options.no_loop) tracking.act(context_.thread, id_);
  if ((command.flags & kReads) == 0 || (command.flags & kNotQueued) != 0) return;
  if (!tracked_->remembers()) return;
  command.each_key(words, [&](std::string_view key) {
    if (key.size() <= context_.limits.max_key.bytes) tracking.remember(id_, key);
  });
}

// Nothing will tell when a value is old that was loaded and is not in memory: that it may be
// is told now.
void Session::tell_if_not_kept(std::string_view key) {
  if (!tracked_ || !tracked_->on) return;
  if (context_.keys.inspect(key, now_, [](auto&&...) {})) return;
  context_.server.tracking().not_kept(id_, key);
}

// Tells it at once, unless what may be sent ends within EXEC's array; and once more behind the
// replies that wait or stand behind those, since they may have been read before.
void Session::take_news() {
  activity_.has_news.store(false, std::memory_order_relaxed);
  const Tracking::News news = context_.server.tracking().take(id_);
  if (ended_) return;
  if (news.lost != 0) activity_.redirect_broken.store(true, std::memory_order_relaxed);
  if (replies_.ready_is_whole()) write_news(news, replies_.ready());
  if (replies_.waiting() > 0) write_news(news, replies_.tail());
}

void Session::write_news(const Tracking::News& news, resp::OutputBuffer& output) {
  resp::ReplyWriter writer{output, protocol_};
  const bool pushes = protocol_ == resp::Protocol::kResp3;
  if (news.lost != 0 && pushes) {
    writer.push(2);
    writer.bulk("tracking-redir-broken");
    writer.integer(static_cast<std::int64_t>(news.lost));
  }
  const auto hears = [&](bool redirected) { return pushes || (redirected && subscribed()); };
  if (news.everything && hears(news.everything_redirected)) {
    write_head(writer);
    writer.null();
  }
  for (const Tracking::News::Change& change : news.changes) {
    if (!hears(change.redirected) || !may_know(change.key)) continue;
    write_head(writer);
    writer.array(1);
    writer.bulk(change.key);
  }
}

// Names of keys that it may not read are not told: a prefix would be a way to learn them.
bool Session::may_know(std::string_view key) const {
  if (identity_.unlimited()) return true;
  const auto member = context_.keys.route(key);
  return member && identity_.may(Right::kRead, (*member)->cache->name());
}

}  // namespace larder
