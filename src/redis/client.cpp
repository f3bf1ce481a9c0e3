#include "redis/client.hpp"

#include <utility>

#include "pipeline/client_body.hpp"

template class larder::pipeline::Connection<larder::redis::Protocol>;
template class larder::pipeline::Client<larder::redis::Protocol>;

namespace larder::redis {
namespace {

// In RESP3 a subscription is answered by a pushed message.
bool confirms_subscription(const resp::Reply& message) {
  return !message.items.empty() && message.items.front().text == "ssubscribe";
}

}  // namespace

Result<std::shared_ptr<Client>> Client::start(Runtime& runtime, ClientOptions options,
                                              std::weak_ptr<ClientEvents> events) {
  std::shared_ptr<const TlsContext> tls;
  if (options.url.tls) {
    const RedisUrl& url = options.url;
    auto context =
        TlsContext::for_client({.ca = url.ca, .certificate = url.certificate, .key = url.key});
    if (!context) return std::unexpected{std::move(context.error())};
    tls = std::move(*context);
  }
  std::shared_ptr<Client> client{
      new Client{runtime, std::move(options), std::move(tls), std::move(events)}};
  client->begin(runtime);
  return client;
}

pipeline::Place Protocol::place() const {
  return {.name = url_.place(), .host = url_.host, .port = url_.port, .socket = url_.socket};
}

pipeline::Outcome Protocol::decode(std::string_view bytes, std::size_t& used) {
  using Decoded = resp::ReplyDecoder::Outcome;
  const Decoded outcome = decoder_.decode(bytes);
  used += decoder_.consumed();
  switch (outcome) {
    case Decoded::kReply: reply_ = decoder_.take(); return pipeline::Outcome::kReply;
    case Decoded::kPush:
      reply_ = decoder_.take();
      return confirms_subscription(reply_) ? pipeline::Outcome::kReply : pipeline::Outcome::kPush;
    case Decoded::kNeedMore: return pipeline::Outcome::kNeedMore;
    case Decoded::kError: break;
  }
  return pipeline::Outcome::kError;
}

pipeline::Judgement Protocol::judge(const resp::Reply& reply) {
  if (!reply.is_error() || !reply.text.starts_with("READONLY")) return {};
  return {.end = "has become a replica"};
}

std::string Protocol::of_tls() const {
  if (!url_.socket.empty()) return {};
  return url_.tls ? "; if it speaks no TLS, write redis in the URL"
                  : "; if it speaks TLS, write rediss in the URL";
}

void Protocol::pushed(ClientEvents& events, const resp::Reply& message) {
  if (message.items.size() < 2) return;
  const std::string_view what = message.items[0].text;
  if (what == "smessage" && message.items.size() == 3) {
    return events.published(message.items[1].text, message.items[2].text);
  }
  if (what == "sunsubscribe") return events.unsubscribed(message.items[1].text);
  if (what != "invalidate") return;
  if (message.items[1].is_null()) return events.changed(std::nullopt);
  for (const resp::Reply& key : message.items[1].items) events.changed(key.text);
}

}  // namespace larder::redis
