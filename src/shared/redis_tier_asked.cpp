// A RedisTier whose slot is on its way to another master, and that says ASK: this key is there, if
// it is anywhere.
//
// What must be told is told there: an invalidation, a clear, a mark and its end. While the slot is
// on its way a key is at one of the two, so the step has been carried out when one of them has. The
// others listen here until the slot has settled, so it is announced here, behind the step: not in
// one with it, and who dies in between leaves that to memory_ttl. What either refuses is kept, and
// told when the slot has settled. Nothing is read or filled there: docs/decisions/lease-protocol.md
// says why.
#include <algorithm>
#include <utility>

#include "shared/redis_tier.hpp"

namespace larder::shared {
namespace {

bool done_by(const Result<redis::Replies>& replies) {
  return replies && std::ranges::none_of(*replies, &resp::Reply::is_error);
}

// The step as another server is to carry it out: a written value would name this one's run.
Call without_value(Call step) {
  if (step.step == Step::kFinish) step.arguments[1].clear();
  return step;
}

}  // namespace

void RedisTier::follow(const Call& step, const resp::Reply& ask, std::function<void(bool)> done) {
  const auto place = redis::place_to_ask(ask.text, options_.url.host);
  const auto elsewhere = options_.elsewhere.lock();
  const auto there = place && elsewhere ? elsewhere->at(*place) : nullptr;
  if (!there) return done(false);
  const Call carried = without_value(step);
  const auto refused = there->client_->submit(
      {.commands = 2},
      [&](resp::RequestWriter& write) {
        write.command({"ASKING"});
        write.command(carried.command(false));
      },
      [self = shared_from_this(), carried, done](const Result<redis::Replies>& replies) {
        if (!done_by(replies)) return done(false);
        self->announce_here(carried, done);
      });
  if (refused) done(false);
}

// Channel and message are the last arguments of each step that is told.
void RedisTier::announce_here(const Call& step, const std::function<void(bool)>& done) {
  const std::vector<std::string>& words = step.arguments;
  const auto refused = client_->submit(
      {},
      [&](resp::RequestWriter& write) {
        write.command({"SPUBLISH", words[words.size() - 2], words.back()});
      },
      [done](const Result<redis::Replies>& replies) { done(done_by(replies)); });
  if (refused) done(false);
}

bool RedisTier::follow_ask(const Told& told, const Call& step, const resp::Reply& reply,
                           const Open& open) {
  const bool asks = reply.is_error() && reply.text.starts_with("ASK ");
  if (!asks || told.cache.empty()) return false;
  follow(step, reply, [self = shared_from_this(), told, open](bool done) {
    if (!done) self->tell_elsewhere({told});
  });
  return true;
}

// It names no run that there is: what was written is not kept.
void RedisTier::follow_mark(std::uint64_t run, const Call& step, const resp::Reply& ask,
                            SharedMark& mark, const Marks& marks, const Open& open) {
  auto taken = [self = shared_from_this(), run, &mark, marks, open, ask](bool done) {
    SharedCounts::add(done ? self->counts_.marks : self->counts_.untaken_marks);
    if (!done) return self->note_reply(ask);
    mark.run = ~run;
  };
  if (!ask.is_error() || !ask.text.starts_with("ASK ")) return taken(false);
  follow(step, ask, std::move(taken));
}

}  // namespace larder::shared
