#include "server/server.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "larder/thread_annotations.hpp"
#include "server/listener.hpp"
#include "server/worker.hpp"

namespace larder {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int kBacklog = 4096;  // connections that wait to be accepted; the system may allow fewer

// Counts workers that are done, and lets one thread wait for them.
class Countdown {
 public:
  explicit Countdown(std::size_t count) : left_{count} {}

  void count() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (--left_ == 0) done_.notify_all();
  }
  // Whether it reached zero in time.
  bool wait_until(std::chrono::steady_clock::time_point deadline) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    while (left_ > 0) {
      if (done_.wait_until(mutex_, deadline) == std::cv_status::timeout) return left_ == 0;
    }
    return true;
  }
  void wait() LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    while (left_ > 0) done_.wait(mutex_);
  }

 private:
  Mutex mutex_;
  Condition done_;
  std::size_t left_ LARDER_GUARDED_BY(mutex_);
};

error_code listen_on(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  return error;
}

std::size_t threads_for(const ServerOptions& options) {
  if (options.threads != 0) return options.threads;
  return std::max(std::thread::hardware_concurrency(), 1U);
}

std::shared_ptr<Authenticator> open_to_all(Runtime& runtime) {
  return std::make_shared<Authenticator>(
      Users::open(),
      [&runtime](std::move_only_function<void()> work) { runtime.block(std::move(work)); });
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(Runtime& runtime, Keyspace& keyspace,
                                              const ServerOptions& options,
                                              std::shared_ptr<spdlog::logger> log) {
  error_code error;
  const std::string port = std::to_string(options.port);
  const auto found = tcp::resolver{runtime.io(0)}.resolve(options.host, port, error);
  tcp::acceptor acceptor{runtime.io(0)};
  if (!error) error = listen_on(acceptor, found.begin()->endpoint());
  if (error) {
    return fail(Errc::kRefused, "cannot listen on " + options.host + ":" + port + ": " +
                                    error.message() +
                                    (error == asio::error::address_in_use
                                         ? "; stop what listens there, or change server.listen"
                                         : "; see server.listen"));
  }
  try {
    return std::unique_ptr<Server>{
        new Server{runtime, keyspace, options, std::move(acceptor), std::move(log)}};
  } catch (const std::system_error& problem) {
    return fail(Errc::kRefused, std::string{"cannot serve: "} + problem.what() +
                                    "; let the process open more files (ulimit -n)");
  }
}

Server::Server(Runtime& runtime, Keyspace& keyspace, const ServerOptions& options,
               tcp::acceptor acceptor, std::shared_ptr<spdlog::logger> log)
    : endpoint_{acceptor.local_endpoint()},
      state_{std::make_shared<ServerState>(
          keyspace, options.limits, threads_for(options),
          ServerState::Identity{.config_file = options.config_file,
                                .port = endpoint_.port(),
                                .tls = options.certificates != nullptr},
          options.authenticator ? options.authenticator : open_to_all(runtime),
          options.start_reload)},
      admission_{std::make_shared<Admission>(options.admission)} {
  for (std::size_t i = 0; i < threads_for(options); ++i) {
    workers_.push_back(std::make_shared<Worker>(state_, i, options.certificates));
  }
  for (const auto& worker : workers_) worker->start();
  listener_ =
      std::make_shared<Listener>(std::move(acceptor), state_, workers_, admission_, std::move(log));
  listener_->start();
}

Server::~Server() {
  if (!down_) shut_down(Duration{});
  for (const auto& worker : workers_) worker->stop();
}

void Server::change(const Limits& limits, AdmissionLimits admission,
                    const std::function<void()>& swap) {
  admission_->set_limits(admission);
  state_->gate().exclude([&] {
    state_->set_limits(limits);
    swap();
  });
  const auto unaware = std::make_shared<Countdown>(workers_.size());
  for (const auto& worker : workers_) worker->notice_change([unaware] { unaware->count(); });
  unaware->wait();
}

bool Server::shut_down(Duration patience) {
  down_ = true;
  state_->stop();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  listener_->stop();
  const auto open = std::make_shared<Countdown>(workers_.size());
  for (const auto& worker : workers_) worker->finish([open] { open->count(); });
  if (open->wait_until(deadline)) return true;
  for (const auto& worker : workers_) worker->abort();
  open->wait();
  return false;
}

}  // namespace larder
