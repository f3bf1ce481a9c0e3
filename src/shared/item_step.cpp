#include "shared/item_step.hpp"

#include <utility>

namespace larder::shared {
namespace {

// Of as many steps on one item at once one wins each time, so one that loses so often has
// met as many others.
constexpr unsigned kMostTries = 32;

}  // namespace

std::optional<Error> ItemStep::carry_out(std::shared_ptr<memcached::Client> client,
                                         std::uint64_t connection, std::string key, Decide decide,
                                         Done done) {
  const std::shared_ptr<ItemStep> step{new ItemStep{std::move(client), connection, std::move(key),
                                                    std::move(decide), std::move(done)}};
  return step->look();
}

std::optional<Error> ItemStep::look() {
  ++tries_;
  return client_->submit(
      {.session = connection_}, [&](memcached::MetaWriter& write) { write.get(key_); },
      [self = shared_from_this()](Result<memcached::Replies> replies) {
        self->looked(std::move(replies));
      });
}

void ItemStep::looked(Result<memcached::Replies> replies) {
  if (!replies) return end(std::unexpected{std::move(replies.error())});
  if (replies->front().is_error()) {
    return end(fail(Errc::kSourceFailed, "it refuses a read: " + replies->front().text));
  }
  const Item item = item_in(std::move(replies->front()));
  change_ = decide_(item);
  if (change_.kind == Change::Kind::kNone) return end(Change::Kind::kNone);
  auto refused = client_->submit(
      {.session = connection_},
      [&](memcached::MetaWriter& write) { shared::write(write, key_, item, change_); },
      [self = shared_from_this()](Result<memcached::Replies> changes) {
        self->changed(std::move(changes));
      });
  if (refused) end(std::unexpected{std::move(*refused)});
}

void ItemStep::changed(Result<memcached::Replies> replies) {
  if (!replies) return end(std::unexpected{std::move(replies.error())});
  const memcached::MetaReply& reply = replies->front();
  if (carried_out(change_, reply)) return end(change_.kind);
  if (reply.is_error()) {
    return end(fail(Errc::kSourceFailed, "it refuses a change: " + reply.text));
  }
  if (tries_ >= kMostTries) {
    return end(fail(Errc::kOverloaded, "others change a key of the shared tier all the time"));
  }
  if (auto refused = look()) end(std::unexpected{std::move(*refused)});
}

void ItemStep::end(Result<Change::Kind> outcome) { done_(std::move(outcome)); }

}  // namespace larder::shared
