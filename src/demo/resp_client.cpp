#include "demo/resp_client.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <span>
#include <utility>

#include "resp/output_buffer.hpp"
#include "resp/reply_decoder.hpp"
#include "resp/request_writer.hpp"

namespace larder::demo {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::seconds kPatience{10};

std::unexpected<Error> lost(const std::string& why) {
  return fail(Errc::kSourceFailed, "the connection to larder was lost: " + why);
}

// An aggregate's parts stand on a line each.
std::string text_of(const resp::Reply& reply) {
  using Kind = resp::Reply::Kind;
  if (reply.is_null()) return "(nothing)";
  if (reply.kind == Kind::kInteger || reply.kind == Kind::kBoolean) {
    return std::to_string(reply.integer);
  }
  if (reply.kind == Kind::kReal) return std::to_string(reply.real);
  std::string text = reply.text;
  for (const resp::Reply& item : reply.items) {
    if (!text.empty()) text += '\n';
    text += text_of(item);
  }
  return text;
}

}  // namespace

class RespClient::Connection {
 public:
  [[nodiscard]] Result<void> connect(std::uint16_t port) {
    boost::system::error_code error;
    socket_.connect({asio::ip::address_v4::loopback(), port}, error);
    if (error) {
      return fail(Errc::kSourceFailed, "connecting to 127.0.0.1:" + std::to_string(port) +
                                           " failed: " + error.message());
    }
    return {};
  }

  [[nodiscard]] Result<void> send(std::span<const std::string_view> command) {
    resp::OutputBuffer request;
    resp::RequestWriter{request}.command(command);
    std::array<std::string_view, 16> pieces;
    while (!request.empty()) {
      std::vector<asio::const_buffer> buffers;
      for (std::size_t i = 0, count = request.gather(pieces); i < count; ++i) {
        buffers.push_back(asio::buffer(pieces[i]));
      }
      boost::system::error_code error;
      request.consume(asio::write(socket_, buffers, error));
      if (error) return lost(error.message());
    }
    return {};
  }

  [[nodiscard]] Result<resp::Reply> receive() {
    using Outcome = resp::ReplyDecoder::Outcome;
    for (;;) {
      const Outcome outcome = decoder_.decode(received_);
      received_.erase(0, decoder_.consumed());
      if (outcome == Outcome::kReply) return decoder_.take();
      if (outcome == Outcome::kError) return lost(decoder_.error());
      if (outcome == Outcome::kPush) continue;  // answers nobody
      if (auto more = read(); !more) return std::unexpected{more.error()};
    }
  }

 private:
  // Appends what arrives.
  [[nodiscard]] Result<void> read() {
    std::array<char, 16 << 10> buffer;
    boost::system::error_code error;
    std::size_t size = 0;
    socket_.async_read_some(asio::buffer(buffer), [&](boost::system::error_code e, std::size_t n) {
      error = e;
      size = n;
    });
    context_.restart();
    if (context_.run_for(kPatience) == 0) {
      socket_.close();
      context_.run();  // ends the read, whose buffer is about to go
      return lost("it did not answer for ten seconds");
    }
    if (error) return lost(error.message());
    received_.append(buffer.data(), size);
    return {};
  }

  asio::io_context context_{1};
  tcp::socket socket_{context_};
  resp::ReplyDecoder decoder_;
  std::string received_;
};

RespClient::RespClient(std::unique_ptr<Connection> connection)
    : connection_{std::move(connection)} {}
RespClient::RespClient(RespClient&&) noexcept = default;
RespClient::~RespClient() = default;

Result<RespClient> RespClient::connect(std::uint16_t port) {
  auto connection = std::make_unique<Connection>();
  if (auto done = connection->connect(port); !done) return std::unexpected{done.error()};
  return RespClient{std::move(connection)};
}

Result<std::optional<std::string>> RespClient::ask(
    std::initializer_list<std::string_view> command) {
  if (auto sent = connection_->send(std::span{command.begin(), command.size()}); !sent) {
    return std::unexpected{sent.error()};
  }
  auto reply = connection_->receive();
  if (!reply) return std::unexpected{reply.error()};
  if (reply->is_null()) return std::nullopt;
  if (!reply->is_error()) return text_of(*reply);
  return fail(Errc::kSourceFailed,
              "larder refused " + std::string{*command.begin()} + ": " + reply->text);
}

}  // namespace larder::demo
