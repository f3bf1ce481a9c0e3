#include "server/server.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "larder/thread_annotations.hpp"
#include "server/lease_alarm.hpp"
#include "server/listener.hpp"
#include "server/shedder.hpp"
#include "server/worker.hpp"

namespace larder {

namespace {

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

// All that the options name, or what is in the way of one of them.
Result<std::vector<ListeningSocket>> listen_on_all(Runtime& runtime, const ServerOptions& options) {
  std::vector<ListeningSocket> sockets;
  const auto add = [&](Result<ListeningSocket> socket) -> Result<void> {
    if (!socket) return std::unexpected{std::move(socket.error())};
    sockets.push_back(std::move(*socket));
    return {};
  };
  if (!options.host.empty()) {
    const auto added = add(listen_on_tcp(runtime.io(0), options.host, options.port));
    if (!added) return std::unexpected{added.error()};
  }
  if (!options.unix_socket.empty()) {
    const auto added = add(listen_on_unix(options.unix_socket, options.unix_permissions));
    if (!added) return std::unexpected{added.error()};
  }
  return sockets;
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
  auto sockets = listen_on_all(runtime, options);
  if (!sockets) return std::unexpected{std::move(sockets.error())};
  try {
    return std::unique_ptr<Server>{
        new Server{runtime, keyspace, options, std::move(*sockets), std::move(log)}};
  } catch (const std::system_error& problem) {
    return fail(Errc::kRefused, std::string{"cannot serve: "} + problem.what() +
                                    "; let the process open more files (ulimit -n)");
  }
}

Server::Server(Runtime& runtime, Keyspace& keyspace, const ServerOptions& options,
               std::vector<ListeningSocket> sockets, std::shared_ptr<spdlog::logger> log)
    : state_{std::make_shared<ServerState>(
          keyspace, options.limits, threads_for(options),
          ServerState::Identity{.config_file = options.config_file,
                                .port = sockets.empty() ? std::uint16_t{0} : sockets[0].port,
                                .tls = options.certificates != nullptr},
          options.authenticator ? options.authenticator : open_to_all(runtime),
          options.start_reload)},
      admission_{std::make_shared<Admission>(options.admission)} {
  state_->show_settings(std::make_shared<const std::vector<ShownSetting>>(options.settings));
  for (std::size_t i = 0; i < threads_for(options); ++i) {
    workers_.push_back(std::make_shared<Worker>(state_, i, options.certificates));
  }
  shedder_ = std::make_shared<Shedder>(state_, workers_, log);
  state_->set_shed([weak = std::weak_ptr{shedder_}] {
    if (const auto shedder = weak.lock()) shedder->look();
  });
  LeaseAlarm::attach(state_, runtime.handle().timers());
  for (const auto& worker : workers_) worker->start();
  listener_ =
      std::make_shared<Listener>(runtime.io(0), state_, workers_, admission_, std::move(log));
  for (ListeningSocket& socket : sockets) {
    addresses_.push_back(std::move(socket.shown));
    files_.push_back(std::move(socket.file));
    listener_->add(std::move(socket.socket));
  }
  listener_->start();
}

Server::~Server() {
  if (!down_) shut_down(Duration{});
  for (const auto& worker : workers_) worker->stop();
  state_->leave_keyspace();
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
  files_.clear();
  const auto open = std::make_shared<Countdown>(workers_.size());
  for (const auto& worker : workers_) worker->finish([open] { open->count(); });
  if (open->wait_until(deadline)) return true;
  for (const auto& worker : workers_) worker->abort();
  open->wait();
  return false;
}

}  // namespace larder
