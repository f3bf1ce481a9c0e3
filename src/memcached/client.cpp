#include "memcached/client.hpp"

#include "base/utf8.hpp"
#include "pipeline/client_body.hpp"

template class larder::pipeline::Connection<larder::memcached::Protocol>;
template class larder::pipeline::Client<larder::memcached::Protocol>;

namespace larder::memcached {

std::shared_ptr<Client> Client::start(Runtime& runtime, ClientOptions options,
                                      std::weak_ptr<ClientEvents> events) {
  std::shared_ptr<Client> client{new Client{runtime, std::move(options), {}, std::move(events)}};
  client->begin(runtime);
  return client;
}

pipeline::Place Protocol::place() const {
  return {
      .name = to_string(place_), .host = place_.host, .port = place_.port, .socket = place_.socket};
}

pipeline::Outcome Protocol::decode(std::string_view bytes, std::size_t& used) {
  decoded_ = decode_reply(bytes);
  used += decoded_.consumed;
  switch (decoded_.outcome) {
    case DecodedReply::Outcome::kReply: return pipeline::Outcome::kReply;
    case DecodedReply::Outcome::kNeedMore: return pipeline::Outcome::kNeedMore;
    case DecodedReply::Outcome::kError: decoded_.error.insert(0, "it "); break;
  }
  return pipeline::Outcome::kError;
}

// What the server cannot parse it answers with as many errors as it sees lines, so behind an
// ERROR nobody knows what answers what. No command of larder's is one.
pipeline::Judgement Protocol::judge(const MetaReply& reply) {
  if (!reply.is_error() || reply.text.starts_with("SERVER_ERROR")) return {};
  return {.end = "does not understand a command: " + printable(reply.text), .answers = false};
}

}  // namespace larder::memcached
