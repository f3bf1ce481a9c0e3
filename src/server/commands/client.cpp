// CLIENT: the connections, one's own and others'.
//
// A client without the right admin:* knows of itself alone: of others it sees
// nothing, and closes none.
#include <algorithm>
#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/commands/client_list.hpp"
#include "server/commands/client_name.hpp"
#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/server_state.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

// Reads ON or OFF; false after an error reply.
bool read_switch(Session& session, std::string_view word, std::atomic<bool>& on) {
  if (!same_word(word, "on") && !same_word(word, "off")) {
    session.error(kSyntaxError);
    return false;
  }
  on.store(same_word(word, "on"), std::memory_order_relaxed);
  return true;
}

}  // namespace

// ---- Oneself. ----

void client_id(Session& session, Arguments) {
  session.reply().integer(static_cast<std::int64_t>(session.id()));
}

void client_getname(Session& session, Arguments) {
  const std::string name = session.introduction().name;
  if (name.empty()) return session.reply().null();
  session.reply().bulk(name);
}

void client_setname(Session& session, Arguments words) {
  if (take_name(session, words[2])) session.reply().ok();
}

// Client libraries say who they are and do not look at the answer.
void client_setinfo(Session& session, Arguments words) {
  const bool library = same_word(words[2], "lib-name");
  if (!library && !same_word(words[2], "lib-ver")) {
    return session.error("ERR Unrecognized option '" + std::string{words[2]} + "'");
  }
  if (words[3].size() > kLongestClientName ||
      std::ranges::any_of(words[3], [](char c) { return c < '!' || c > '~'; })) {
    return session.error("ERR " + std::string{library ? "lib-name" : "lib-ver"} +
                         " cannot contain spaces, newlines or special characters.");
  }
  Introduction introduction = session.introduction();
  (library ? introduction.library : introduction.library_version) = words[3];
  session.introduce(std::move(introduction));
  session.reply().ok();
}

void client_no_evict(Session& session, Arguments words) {
  if (read_switch(session, words[2], session.activity().protected_from_eviction)) {
    session.reply().ok();
  }
}

void client_no_touch(Session& session, Arguments words) {
  if (read_switch(session, words[2], session.activity().leaves_no_trace)) session.reply().ok();
}

void client_reply(Session& session, Arguments words) {
  using Answers = Session::Answers;
  if (same_word(words[2], "on")) {
    session.answer(Answers::kAll);
    return session.reply().ok();
  }
  if (same_word(words[2], "off")) return session.answer(Answers::kNone);
  if (!same_word(words[2], "skip")) return session.error(kSyntaxError);
  if (session.answers() != Answers::kNone) session.answer(Answers::kNotNext);
}

void client_info(Session& session, Arguments) {
  session.tell_activity();
  const auto self = session.context().server.clients().one(session.id(), session.now());
  session.reply().verbatim("txt", client_line(self) + "\n");
}

// ---- Others. ----

void client_list(Session& session, Arguments words) {
  const auto filter = read_list_filter(session, words);
  if (!filter) return;
  session.tell_activity();
  const std::size_t most = session.context().limits.max_reply_buffer.bytes;
  std::string lines;
  for (const ClientSnapshot& client : clients_for(session, *filter)) {
    lines += client_line(client) + "\n";
    if (lines.size() > most) return session.error(reply_too_large(most));
  }
  session.reply().verbatim("txt", lines);
}

void client_kill(Session& session, Arguments words) {
  const auto filter = read_kill_filter(session, words);
  if (!filter) return;
  std::vector<std::uint64_t> others;
  bool self = false;
  for (const ClientSnapshot& client : clients_for(session, *filter)) {
    if (client.id != session.id()) {
      others.push_back(client.id);
    } else {
      self = !filter->skip_self;
    }
  }
  session.context().server.clients().kill(others);
  if (self) session.quit();  // once it has the reply

  const std::size_t killed = others.size() + (self ? 1 : 0);
  if (words.size() > 3) return session.reply().integer(static_cast<std::int64_t>(killed));
  if (killed == 0) return session.error("ERR No such client");
  session.reply().ok();
}

// ---- What larder has no need of. ----

void client_unblock(Session& session, Arguments words) {
  if (words.size() > 4) return session.error(wrong_arguments(words));
  if (words.size() == 4 && !same_word(words[3], "timeout") && !same_word(words[3], "error")) {
    return session.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  if (!to_integer(words[2])) return session.error(kNotAnInteger);
  session.reply().integer(0);  // no command of larder's blocks its client
}

void client_pause(Session& session, Arguments words) {
  if (words.size() == 4 && !same_word(words[3], "write") && !same_word(words[3], "all")) {
    return session.error("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  session.error(
      "REFUSED larder pauses no clients: nothing has to stand still for a copy that can be "
      "loaded again; see CLIENT KILL");
}

void client_unpause(Session& session, Arguments) { session.reply().ok(); }

}  // namespace larder::commands
