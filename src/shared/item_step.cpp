#include "shared/item_step.hpp"

#include <utility>

namespace larder::shared {
namespace {

// Of as many steps on one item at once one wins each time, so one that loses so often has
// met as many others.
constexpr unsigned kMostTries = 32;

}  // namespace

std::optional<Error> ItemStep::carry_out(std::shared_ptr<memcached::Client> client, Terms terms,
                                         std::string key, Decide decide, Done done) {
  const std::shared_ptr<ItemStep> step{new ItemStep{
      std::move(client), std::move(terms), std::move(key), std::move(decide), std::move(done)}};
  return step->look();
}

std::optional<Error> ItemStep::submit(const Write& write,
                                      void (ItemStep::*then)(Result<memcached::Replies>)) {
  // Not with what is left for a timeout: an answer that is not there then says nothing of the
  // connection.
  if (terms_.timers->now() >= deadline_) {
    return Error{Errc::kTimeout, "others change a key of the shared tier, or its server is slow"};
  }
  return client_->submit({.session = terms_.connection}, write,
                         [self = shared_from_this(), then](Result<memcached::Replies> replies) {
                           ((*self).*then)(std::move(replies));
                         });
}

std::optional<Error> ItemStep::look() {
  ++tries_;
  return submit([&](memcached::MetaWriter& write) { write.get(key_); }, &ItemStep::looked);
}

void ItemStep::looked(Result<memcached::Replies> replies) {
  if (!replies) return end(std::unexpected{std::move(replies.error())});
  if (replies->front().is_error()) {
    return end(fail(Errc::kRejected, replies->front().text));
  }
  const Item item = item_in(std::move(replies->front()));
  change_ = decide_(item);
  if (change_.kind == Change::Kind::kNone) return end(Change::Kind::kNone);
  change(item);
}

void ItemStep::change(const Item& item) {
  auto refused =
      submit([&](memcached::MetaWriter& write) { shared::write(write, key_, item, change_); },
             &ItemStep::changed);
  if (refused) end(std::unexpected{std::move(*refused)});
}

void ItemStep::changed(Result<memcached::Replies> replies) {
  if (!replies) return end(std::unexpected{std::move(replies.error())});
  const memcached::MetaReply& reply = replies->front();
  if (carried_out(change_, reply)) return end(change_.kind);
  const bool set = change_.kind == Change::Kind::kSet;
  if (reply.is_error() && set && terms_.refused == Refused::kInvalidates) {
    change_ = {.kind = Change::Kind::kInvalidate};
    return change({});
  }
  const bool again = set && terms_.refused == Refused::kTriesAgain && !refused_;
  refused_ = refused_ || reply.is_error();
  if (reply.is_error() && !again) {
    return end(fail(Errc::kRejected, reply.text));
  }
  if (tries_ >= kMostTries) {
    return end(fail(Errc::kOverloaded, "others change a key of the shared tier all the time"));
  }
  if (auto refused = look()) end(std::unexpected{std::move(*refused)});
}

void ItemStep::end(Result<Change::Kind> outcome) { done_(std::move(outcome)); }

}  // namespace larder::shared
