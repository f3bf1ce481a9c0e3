// SUBSCRIBE and UNSUBSCRIBE: of the one channel on which clients of RESP2 are told which keys
// changed. larder passes no messages between clients.
#include <algorithm>
#include <string>

#include "server/commands/commands.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

// What is answered for a channel; without one, null.
void answer(Session& session, std::string_view what, const std::string_view* channel) {
  auto reply = session.reply();
  reply.push(3);
  reply.bulk(what);
  if (channel == nullptr) {
    reply.null();
  } else {
    reply.bulk(*channel);
  }
  reply.integer(session.subscribed() ? 1 : 0);
}

}  // namespace

void subscribe(Session& session, Arguments words) {
  for (const std::string_view channel : words.subspan(1)) {
    if (channel == kInvalidationChannel) continue;
    return session.error("REFUSED larder passes no messages between clients: its one channel is " +
                         std::string{kInvalidationChannel} +
                         ", for clients that CLIENT TRACKING ... REDIRECT sends to this one");
  }
  session.subscribe(true);
  for (const std::string_view channel : words.subspan(1)) answer(session, "subscribe", &channel);
}

void unsubscribe(Session& session, Arguments words) {
  constexpr std::string_view kChannel = kInvalidationChannel;
  if (words.size() == 1) {
    const bool was = session.subscribed();
    session.subscribe(false);
    return answer(session, "unsubscribe", was ? &kChannel : nullptr);
  }
  for (const std::string_view channel : words.subspan(1)) {
    if (channel == kChannel) session.subscribe(false);
    answer(session, "unsubscribe", &channel);
  }
}

}  // namespace larder::commands
