// LARDER LEASE, FILL and RELEASE: programs that load values themselves, one of them at a time.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/commands/commands.hpp"
#include "server/commands/set_options.hpp"
#include "server/commands/words.hpp"
#include "server/commands/writable.hpp"
#include "server/session.hpp"

namespace larder::commands {

namespace {

using namespace std::chrono_literals;

// Clients of Redis wait for a reply between 2 seconds and for ever.
constexpr std::chrono::milliseconds kUsualWait = 5s;
constexpr std::chrono::milliseconds kLongestWait = 60s;
constexpr std::chrono::milliseconds kUsualLease = 10s;
constexpr std::chrono::milliseconds kLongestLease = 10min;

struct LeaseOptions {
  std::chrono::milliseconds wait = kUsualWait;
  std::chrono::milliseconds lease = kUsualLease;
};

// The cache of the key; null after an error reply.
const Keyspace::Member* member_without_source(Session& session, std::string_view key) {
  const Keyspace::Member* const member = session.route(key);
  if (member == nullptr) return nullptr;
  const BytesCache& cache = *member->cache;
  if (!cache.has_source()) return member;
  session.error("REFUSED cache \"" + cache.name() +
                "\" has a source: GET loads a missing key once, however many ask for it, and they "
                "wait for that. Leases are for caches without one");
  return nullptr;
}

// Milliseconds between `least` and `most`; none after an error reply.
std::optional<std::chrono::milliseconds> read_time(Session& session, std::string_view option,
                                                   std::string_view word,
                                                   std::chrono::milliseconds least,
                                                   std::chrono::milliseconds most) {
  const auto number = to_integer(word);
  if (number && *number >= least.count() && *number <= most.count()) {
    return std::chrono::milliseconds{*number};
  }
  session.error("ERR " + std::string{option} + " takes milliseconds, " +
                std::to_string(least.count()) + " to " + std::to_string(most.count()));
  return std::nullopt;
}

// None after an error reply.
std::optional<LeaseOptions> read_options(Session& session, Arguments words) {
  LeaseOptions options;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const bool waits = same_word(words[i], "wait");
    if ((!waits && !same_word(words[i], "lease")) || i + 1 == words.size()) {
      session.error(kSyntaxError);
      return std::nullopt;
    }
    const auto time = waits ? read_time(session, "WAIT", words[i + 1], 0ms, kLongestWait)
                            : read_time(session, "LEASE", words[i + 1], 1ms, kLongestLease);
    if (!time) return std::nullopt;
    (waits ? options.wait : options.lease) = *time;
  }
  return options;
}

}  // namespace

void larder_lease(Session& session, Arguments words) {
  const auto options = read_options(session, words.subspan(3));
  if (!options) return;
  const Keyspace::Member* const member = member_without_source(session, words[2]);
  if (member != nullptr) session.lease(*member, words[2], options->wait, options->lease);
}

void larder_fill(Session& session, Arguments words) {
  const std::string_view key = words[2];
  // Its options are those of GETEX, but for PERSIST.
  const auto options = read_getex_options(words.subspan(5));
  if (!options || options->persist) return session.error(kSyntaxError);
  std::optional<TimePoint> end;
  if (options->amount) {
    end = read_life(session, *options->amount, options->unit, "larder|fill");
    if (!end) return;
  }
  const Keyspace::Member* const member = member_without_source(session, key);
  if (member == nullptr) return;
  BytesCache& cache = *member->cache;
  EntryInfo info = cache.entry_for_put(session.now());
  if (end) live_until(info, *end);

  Leases::Ended ended;
  const auto outcome =
      cache.update(key, session.now(), [&](const std::string_view*, const EntryInfo*) {
        ended = session.context().server.leases().end(key, words[3], session.now());
        if (ended.standing != Leases::Standing::kHeld) return BytesTier::Update::keep();
        if (end && *end <= session.now()) return BytesTier::Update::erase();
        return BytesTier::Update::store(words[4], info);
      });
  if (!ended.waits.empty()) {
    Leases::answer(ended.waits, std::make_shared<const std::string>(words[4]));
  }
  switch (ended.standing) {
    case Leases::Standing::kChanged: return session.reply().simple("CHANGED");
    case Leases::Standing::kOver: return session.reply().simple("OVER");
    case Leases::Standing::kHeld: break;
  }
  if (stored(session, cache, outcome.put)) session.reply().ok();
}

void larder_release(Session& session, Arguments words) {
  if (member_without_source(session, words[2]) == nullptr) return;
  const auto standing =
      session.context().server.leases().give_back(words[2], words[3], session.now());
  session.reply().integer(standing == Leases::Standing::kHeld ? 1 : 0);
}

}  // namespace larder::commands
