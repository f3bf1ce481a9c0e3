// How a session asks for the lease of a key, and what it answers when a wait for another
// client's is over. Waiting holds a place in the replies, as a load does: the commands behind
// it are carried out, so that the client may fill or drop the very key.
#include <algorithm>
#include <optional>
#include <utility>

#include "server/session.hpp"

namespace larder {

namespace {

// What a wait takes: the key, here and in the tables of Leases.
std::size_t weight_of_wait(std::string_view key) { return key.size() + 512; }

}  // namespace

// A copy answers at once, without a lock, as in read().
void Session::lease(const Keyspace::Member& member, std::string_view key, Duration wait,
                    Duration lease) {
  if (tracked_ && tracked_->remembers()) context_.server.tracking().remember(id_, key);
  const auto write = [&](std::string_view value, const EntryInfo&) {
    resp::ReplyWriter writer = reply();
    writer.array(2);
    writer.bulk(value);
    writer.null();
  };
  KeyspaceView& keys = context_.keys;
  const bool untouched = activity_.leaves_no_trace.load(std::memory_order_relaxed);
  const bool hit =
      untouched ? keys.visit_untouched(key, now_, write) : keys.visit(key, now_, write);
  if (hit) return;
  member.cache->count_miss();
  LeaseWait asked{.key = std::string{key}, .until = now_ + wait, .lease = lease};
  const LeaseLook look = look_for_lease(*member.cache, asked, 0);
  AwaitedReply awaited{{AwaitedReply::Shape::kValues}, protocol_, 2};
  if (look.copy) {
    awaited.know(0, look.copy);
    return awaited.write(replies_.tail());
  }
  using Step = Leases::Taken::Step;
  switch (look.taken.step) {
    case Step::kLoad:
      awaited.know(1, std::make_shared<const std::string>(look.taken.token));
      return awaited.write(replies_.tail());
    case Step::kInVain: return awaited.write(replies_.tail());
    case Step::kTooMany:
    case Step::kTooManyOf: return error(no_room_for_lease(look.taken.step));
    case Step::kWait: break;
  }
  awaited.owe();
  asked.place = replies_.hold(std::move(awaited));
  loading_bytes_ += weight_of_wait(key);
  if (!lease_waits_) lease_waits_ = std::make_unique<LeaseWaits>();
  lease_waits_->emplace(look.taken.wait, std::move(asked));
}

// Looks at memory and at the leases as one step.
Session::LeaseLook Session::look_for_lease(BytesCache& cache, const LeaseWait& wait,
                                           std::uint64_t number) {
  if (!inbox_) inbox_ = std::make_shared<Inbox>(wake_);
  LeaseLook look{};
  cache.update(wait.key, now_, [&](const std::string_view* value, const EntryInfo* info) {
    if (value != nullptr && !info->absent) {
      look.copy = std::make_shared<const std::string>(*value);
    } else {
      look.taken = context_.server.leases().take(wait.key,
                                                 {.client = id_,
                                                  .space = cache.space(),
                                                  .inbox = inbox_,
                                                  .lease = wait.lease,
                                                  .until = wait.until,
                                                  .wait = number},
                                                 now_);
    }
    return BytesTier::Update::keep();
  });
  return look;
}

std::string Session::no_room_for_lease(Leases::Taken::Step step) {
  context_.counters.count(LimitMet::kLeases);
  const std::size_t most = context_.limits.max_lease_memory.bytes;
  if (step == Leases::Taken::Step::kTooMany) {
    return "BUSY all leases together take server.max_lease_memory, " + std::to_string(most) +
           " bytes; try again later, or raise it";
  }
  return "BUSY the leases of this client take " + std::to_string(most / Leases::kShareOfClient) +
         " bytes, its part of server.max_lease_memory; LARDER FILL or RELEASE some, or raise it";
}

// Whether some waits are over.
bool Session::take_lease_news() {
  if (!lease_waits_) return false;
  std::vector<LeaseNews> news = inbox_->take_lease_news();
  if (news.empty()) return false;
  // As a command would be, since some look at memory again.
  const ExecutionGate::Turn turn{context_.server.gate(), context_.thread};
  now_ = context_.keys.keyspace().clock().now();
  context_.keys.refresh(now_);
  for (LeaseNews& each : news) hear_of_lease(std::move(each));
  if (lease_waits_->empty()) lease_waits_.reset();
  return true;
}

void Session::hear_of_lease(LeaseNews news) {
  const LeaseWait& wait = lease_waits_->at(news.wait);
  using Kind = LeaseNews::Kind;
  switch (news.kind) {
    case Kind::kValue:
      tell_if_not_kept(wait.key);
      return end_lease_wait(news.wait, 0, Answer{std::move(news.value), Origin::kMemory});
    case Kind::kToken: return answer_with_token(news.wait, std::move(news.token));
    case Kind::kInVain: return end_lease_wait(news.wait, 0, Answer<std::string>{});
    case Kind::kLookAgain: return look_again_for_lease(news.wait);
  }
}

void Session::look_again_for_lease(std::uint64_t number) {
  const LeaseWait& wait = lease_waits_->at(number);
  const auto member = context_.keys.route(wait.key);
  if (!member || (*member)->cache->has_source()) {
    const Error why{Errc::kRefused, "the cache of the key changed meanwhile: ask again"};
    return end_lease_wait(number, 0, Answer<std::string>{why, Origin::kNone});
  }
  LeaseLook look = look_for_lease(*(*member)->cache, wait, number);
  if (look.copy) return end_lease_wait(number, 0, Answer{std::move(look.copy), Origin::kMemory});
  using Step = Leases::Taken::Step;
  switch (look.taken.step) {
    case Step::kWait: return;
    case Step::kLoad: return answer_with_token(number, std::move(look.taken.token));
    // To load by itself, without a lease, is what it may do in any case.
    case Step::kTooMany:
    case Step::kTooManyOf:
    case Step::kInVain: return end_lease_wait(number, 0, Answer<std::string>{});
  }
}

void Session::answer_with_token(std::uint64_t number, std::string token) {
  end_lease_wait(number, 1,
                 Answer{std::make_shared<const std::string>(std::move(token)), Origin::kNone});
}

// What it waited for stands in one element of its reply, and the other is null. Replies that
// the client does not read are not to grow without end.
void Session::end_lease_wait(std::uint64_t number, std::size_t element,
                             const Answer<std::string>& answer) {
  const auto found = lease_waits_->find(number);
  const std::size_t most = context_.limits.max_reply_buffer.bytes;
  if (answer && replies_.bytes() + answer->size() > most) {
    context_.counters.count(LimitMet::kReplyBuffer);
    const Error why{Errc::kInvalidArgument,
                    "replies wait that were not read, and server.max_reply_buffer has no room for "
                    "this one; read them, or ask for less at a time"};
    return end_lease_wait(number, element, Answer<std::string>{why, Origin::kNone});
  }
  if (replies_.take(found->second.place, element, answer, most) == ReplyQueue::Progress::kFailed) {
    context_.counters.error_replies.add();
    const std::string why = answer.failed() ? error_line(answer.error()) : "ERR";
    context_.counters.errors_by_prefix[index_of_prefix(why)].add();
  }
  loading_bytes_ -= weight_of_wait(found->second.key);
  lease_waits_->erase(found);
}

}  // namespace larder
