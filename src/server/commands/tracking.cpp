// CLIENT TRACKING and what belongs to it: clients that keep copies are told which keys
// changed.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/commands/commands.hpp"
#include "server/commands/words.hpp"
#include "server/server_state.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

// Each change is compared with the prefixes of all clients.
constexpr std::size_t kMostPrefixes = 128;  // of a client

struct Wanted {
  Tracking::Options options{};
  bool opt_in = false;
  bool opt_out = false;
};

// The client that messages are to go to; nullopt after an error reply. Without the right
// admin:* a client knows of its own user's alone.
std::optional<std::uint64_t> read_redirect(Session& session, std::string_view word) {
  const auto id = to_integer(word);
  if (!id) {
    session.error(kNotAnInteger);
    return std::nullopt;
  }
  ServerState& server = session.context().server;
  const User* const self = session.identity().user();
  const std::string own = self == nullptr ? "" : self->name;
  const auto target = static_cast<std::uint64_t>(*id);
  bool known = false;
  server.clients().visit(target, [&](const std::string& user, ClientActivity& activity,
                                     const std::function<void()>& wake) {
    known = user == own || session.identity().administers();
    if (known) server.tracking().join(target, activity.has_news, wake);
  });
  if (known) return target;
  session.error("ERR The client ID you want redirect to does not exist");
  return std::nullopt;
}

// nullopt after an error reply.
std::optional<Wanted> read_options(Session& session, Arguments words) {
  Wanted wanted;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto is = [&](std::string_view option) { return same_word(words[i], option); };
    const bool more = i + 1 < words.size();
    if (is("redirect") && more) {
      if (wanted.options.redirect != 0) {
        session.error("ERR A client can only redirect to a single other client");
        return std::nullopt;
      }
      const auto target = read_redirect(session, words[++i]);
      if (!target) return std::nullopt;
      wanted.options.redirect = *target;
    } else if (is("prefix") && more) {
      wanted.options.prefixes.emplace_back(words[++i]);
    } else if (is("bcast")) {
      wanted.options.broadcasts = true;
    } else if (is("optin")) {
      wanted.opt_in = true;
    } else if (is("optout")) {
      wanted.opt_out = true;
    } else if (is("noloop")) {
      wanted.options.no_loop = true;
    } else {
      session.error(kSyntaxError);
      return std::nullopt;
    }
  }
  return wanted;
}

bool overlap(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  return a.substr(0, common) == b.substr(0, common);
}

std::string overlapping(std::string_view prefix, std::string_view with, std::string_view which) {
  return "ERR Prefix '" + std::string{up_to_nul(prefix)} + "' overlaps with " + std::string{which} +
         " prefix '" + std::string{up_to_nul(with)} +
         "'. Prefixes for a single client must not overlap.";
}

// What stands against the prefixes, beside those that the client has; empty: nothing.
std::string object_to_prefixes(const std::vector<std::string>& prefixes,
                               std::vector<std::string> has) {
  if (prefixes.size() + has.size() > kMostPrefixes) {
    return "ERR a client has at most " + std::to_string(kMostPrefixes) + " prefixes";
  }
  std::ranges::sort(has);
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    for (const std::string& other : has) {
      if (overlap(prefixes[i], other)) return overlapping(prefixes[i], other, "an existing");
    }
    for (std::size_t j = i + 1; j < prefixes.size(); ++j) {
      if (overlap(prefixes[i], prefixes[j])) {
        return overlapping(prefixes[i], prefixes[j], "another provided");
      }
    }
  }
  return {};
}

// What stands against these options, of a client that tracks as `now` says.
std::string objection(const Wanted& wanted, const TrackedClient& now) {
  const bool broadcasts = wanted.options.broadcasts;
  if (!broadcasts && !wanted.options.prefixes.empty()) {
    return "ERR PREFIX option requires BCAST mode to be enabled";
  }
  if (now.on && now.options.broadcasts != broadcasts) {
    return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and "
           "then re-enabling it with a different mode.";
  }
  if (broadcasts && (wanted.opt_in || wanted.opt_out)) {
    return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  }
  if (wanted.opt_in && wanted.opt_out)
    return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if ((wanted.opt_in && now.opt_out) || (wanted.opt_out && now.opt_in)) {
    return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and "
           "then re-enabling it with a different mode.";
  }
  if (!broadcasts) return {};
  return object_to_prefixes(wanted.options.prefixes, now.options.prefixes);
}

void switch_on(Session& session, Wanted wanted) {
  TrackedClient& tracked = session.tracked();
  Tracking::Options& options = wanted.options;
  if (options.broadcasts && options.prefixes.empty()) options.prefixes.emplace_back();
  for (std::string& prefix : tracked.options.prefixes) {
    if (std::ranges::find(options.prefixes, prefix) == options.prefixes.end()) {
      options.prefixes.push_back(std::move(prefix));
    }
  }
  tracked.options = std::move(options);
  tracked.opt_in = wanted.opt_in;
  tracked.opt_out = wanted.opt_out;
  session.track();
}

}  // namespace

void client_tracking(Session& session, Arguments words) {
  auto wanted = read_options(session, words.subspan(3));
  if (!wanted) return;
  if (same_word(words[2], "off")) {
    session.track_no_more();
    return session.reply().ok();
  }
  if (!same_word(words[2], "on")) return session.error(kSyntaxError);
  if (const std::string why = objection(*wanted, session.tracked()); !why.empty()) {
    return session.error(why);
  }
  switch_on(session, std::move(*wanted));
  session.reply().ok();
}

void client_caching(Session& session, Arguments words) {
  TrackedClient& tracked = session.tracked();
  if (!tracked.on) {
    return session.error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  }
  const bool yes = same_word(words[2], "yes");
  if (!yes && !same_word(words[2], "no")) return session.error(kSyntaxError);
  if (yes && !tracked.opt_in) {
    return session.error(
        "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
  }
  if (!yes && !tracked.opt_out) {
    return session.error(
        "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
  }
  tracked.caching = true;
  session.reply().ok();
}

void client_getredir(Session& session, Arguments) {
  const TrackedClient& tracked = session.tracked();
  session.reply().integer(tracked.on ? static_cast<std::int64_t>(tracked.options.redirect) : -1);
}

void client_trackinginfo(Session& session, Arguments) {
  const TrackedClient& tracked = session.tracked();
  std::vector<std::string_view> flags{tracked.on ? "on" : "off"};
  if (tracked.options.broadcasts) flags.push_back("bcast");
  if (tracked.opt_in) flags.push_back("optin");
  if (tracked.opt_in && tracked.caching) flags.push_back("caching-yes");
  if (tracked.opt_out) flags.push_back("optout");
  if (tracked.opt_out && tracked.caching) flags.push_back("caching-no");
  if (tracked.options.no_loop) flags.push_back("noloop");
  if (session.activity().redirect_broken) flags.push_back("broken_redirect");
  std::vector<std::string> prefixes = tracked.options.prefixes;
  std::ranges::sort(prefixes);

  auto reply = session.reply();
  reply.map(3);
  reply.bulk("flags");
  reply.set(flags.size());
  for (const std::string_view flag : flags) reply.bulk(flag);
  reply.bulk("redirect");
  reply.integer(tracked.on ? static_cast<std::int64_t>(tracked.options.redirect) : -1);
  reply.bulk("prefixes");
  reply.array(prefixes.size());
  for (const std::string& prefix : prefixes) reply.bulk(prefix);
}

}  // namespace larder::commands
