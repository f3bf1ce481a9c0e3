#include "demo/load_driver.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "demo/processor_time.hpp"
#include "resp/output_buffer.hpp"
#include "resp/reply_decoder.hpp"
#include "resp/request_writer.hpp"

namespace larder::demo {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// How long after a run's end its last answers may take.
constexpr std::chrono::seconds kPatience{10};

// What the viewers of a thread share during a run.
struct Round {
  asio::io_context& context;  // which stops when the round is over
  std::size_t viewing = 0;    // viewers that want to see more pages
  Measured seen{};
  std::optional<Error> failed{};

  void saw_last_page() {
    if (--viewing == 0) context.stop();
  }
  void fail_with(std::string message) {
    if (!failed) failed = Error{Errc::kSourceFailed, std::move(message)};
    context.stop();
  }
};

// One viewer: asks, waits, looks, asks again.
class Connection {
 public:
  Connection(asio::io_context& context, Viewer viewer, unsigned number)
      : socket_{context}, due_timer_{context}, viewer_{viewer}, number_{number} {}

  [[nodiscard]] Result<void> connect(std::uint16_t port) {
    boost::system::error_code error;
    socket_.connect({asio::ip::address_v4::loopback(), port}, error);
    if (!error) socket_.set_option(tcp::no_delay{true}, error);
    if (!error) socket_.non_blocking(true, error);
    if (error) {
      return fail(Errc::kSourceFailed, "connecting to 127.0.0.1:" + std::to_string(port) +
                                           " failed: " + error.message());
    }
    return {};
  }

  void start(Round& round, const Schedule& schedule) {
    schedule_ = schedule;
    go_on(round, std::chrono::steady_clock::now());
  }
  [[nodiscard]] unsigned number() const { return number_; }

 private:
  static constexpr std::size_t kBuffer = 64 << 10;

  // Asks for the next page when it is due, or is done.
  void go_on(Round& round, TimePoint now) {
    due_ = schedule_->next(now);
    if (schedule_->over(due_, now)) return round.saw_last_page();
    if (due_ <= now) return ask(round);
    due_timer_.expires_at(due_);
    due_timer_.async_wait([this, &round](boost::system::error_code cancelled) {
      if (!cancelled) ask(round);
    });
  }

  void ask(Round& round) {
    product_ = viewer_.next();
    resp::RequestWriter{request_}.command({"GET", page_key(product_)});
    if (send(round)) await(round);
  }

  // A request is far smaller than an empty socket's buffer: it goes out whole.
  [[nodiscard]] bool send(Round& round) {
    std::array<std::string_view, 1> piece;
    (void)request_.gather(piece);
    boost::system::error_code error;
    const std::size_t sent = socket_.write_some(asio::buffer(piece[0]), error);
    if (error || sent != request_.size()) {
      lost(round, error);
      return false;
    }
    request_.consume(sent);
    return true;
  }

  // Waiting apart from reading spares the read that would find nothing yet.
  void await(Round& round) {
    socket_.async_wait(tcp::socket::wait_read, [this, &round](boost::system::error_code error) {
      if (error) return lost(round, error);
      receive(round);
    });
  }

  void receive(Round& round) {
    if (size_ == received_.size()) received_.resize(2 * received_.size());
    boost::system::error_code error;
    size_ +=
        socket_.read_some(asio::buffer(received_.data() + size_, received_.size() - size_), error);
    if (error && error != asio::error::would_block) return lost(round, error);

    using Outcome = resp::ReplyDecoder::Outcome;
    const Outcome outcome = decoder_.decode({received_.data(), size_});
    size_ -= decoder_.consumed();
    std::memmove(received_.data(), received_.data() + decoder_.consumed(), size_);
    switch (outcome) {
      case Outcome::kReply: return answered(decoder_.take(), round);
      case Outcome::kNeedMore: return await(round);
      case Outcome::kPush: return round.fail_with("larder sent a message nobody asked for");
      case Outcome::kError: return round.fail_with("larder's answer: " + decoder_.error());
    }
  }

  void answered(const resp::Reply& reply, Round& round) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (!is_page(reply)) {
      return round.fail_with("larder answered GET " + page_key(product_) + " with " +
                             (reply.is_null() ? "nothing" : reply.text));
    }
    round.seen.latencies.record(now - due_);
    ++round.seen.pages;
    go_on(round, now);
  }

  // A page begins with its product's id: {"id":42,"name":…
  [[nodiscard]] bool is_page(const resp::Reply& reply) const {
    constexpr std::string_view kStart = "{\"id\":";
    const std::string_view text = reply.text;
    if (reply.kind != resp::Reply::Kind::kBulk || !text.starts_with(kStart)) return false;
    std::int64_t id = 0;
    const auto [end, error] =
        std::from_chars(text.data() + kStart.size(), text.data() + text.size(), id);
    return error == std::errc{} && id == product_ && text.ends_with('}');
  }

  static void lost(Round& round, boost::system::error_code error) {
    round.fail_with("a connection to larder was lost: " +
                    (error ? error.message() : "the request could not be sent whole"));
  }

  tcp::socket socket_;
  asio::steady_timer due_timer_;
  Viewer viewer_;
  unsigned number_;
  std::optional<Schedule> schedule_;  // of the run
  std::int64_t product_ = 0;
  TimePoint due_;
  resp::OutputBuffer request_;
  resp::ReplyDecoder decoder_;
  std::vector<char> received_ = std::vector<char>(kBuffer);
  std::size_t size_ = 0;  // of received_, filled
};

}  // namespace

// One thread's viewers.
class LoadDriver::Thread {
 public:
  [[nodiscard]] Result<void> add(Viewer viewer, unsigned number, std::uint16_t port) {
    connections_.push_back(std::make_unique<Connection>(context_, viewer, number));
    return connections_.back()->connect(port);
  }

  // Until every viewer has its last page, one of them failed, or `stop`.
  [[nodiscard]] Result<Measured> run(const Pace& pace, unsigned viewers, TimePoint start,
                                     const std::stop_token& stop) {
    Round round{.context = context_, .viewing = connections_.size()};
    const Duration worked = processor_time_of_this_thread();
    context_.restart();
    const std::stop_callback stopped{stop, [this] { context_.stop(); }};
    asio::steady_timer patience{context_, start + pace.duration + kPatience};
    patience.async_wait([&round](boost::system::error_code cancelled) {
      if (!cancelled) round.fail_with("larder did not answer for ten seconds");
    });
    for (auto& connection : connections_) {
      connection->start(round, Schedule{pace, viewers, connection->number(), start});
    }
    context_.run();
    round.seen.viewing = processor_time_of_this_thread() - worked;
    return round.failed ? Result<Measured>{std::unexpected{*std::move(round.failed)}}
                        : std::move(round.seen);
  }

 private:
  asio::io_context context_{1};
  std::vector<std::unique_ptr<Connection>> connections_;
};

LoadDriver::LoadDriver(std::vector<std::unique_ptr<Thread>> threads, unsigned viewers)
    : threads_{std::move(threads)}, viewers_{viewers} {}
LoadDriver::LoadDriver(LoadDriver&&) noexcept = default;
LoadDriver::~LoadDriver() = default;

Result<LoadDriver> LoadDriver::connect(const DriverPlan& plan, const Popularity& popularity) {
  std::vector<std::unique_ptr<Thread>> threads;
  for (unsigned i = 0; i < plan.threads; ++i) threads.push_back(std::make_unique<Thread>());
  for (unsigned i = 0; i < plan.viewers; ++i) {
    auto added = threads[i % plan.threads]->add(Viewer{popularity, plan.seed, i}, i, plan.port);
    if (!added) return std::unexpected{added.error()};
  }
  return LoadDriver{std::move(threads), plan.viewers};
}

Result<Measured> LoadDriver::run(const Pace& pace, const std::stop_token& stop) {
  const TimePoint start = std::chrono::steady_clock::now();
  std::vector<Result<Measured>> shares(threads_.size());
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      running.emplace_back([&, i] { shares[i] = threads_[i]->run(pace, viewers_, start, stop); });
    }
  }
  return merge(shares, std::chrono::steady_clock::now() - start, stop);
}

}  // namespace larder::demo
