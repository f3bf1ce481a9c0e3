#include "demo/stop_on_signal.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <semaphore>

namespace larder::demo {
namespace {

TEST(StopOnSignal, RequestsAStop) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const StopOnSignal signals;
    std::binary_semaphore stopped{0};
    const std::stop_callback on_stop{signals.token(), [&] { stopped.release(); }};

    ASSERT_EQ(::kill(::getpid(), signal), 0);

    stopped.acquire();
    EXPECT_TRUE(signals.token().stop_requested());
  }
}

TEST(StopOnSignal, EndsQuietlyWithoutASignal) {
  {
    const StopOnSignal signals;
  }

  sigset_t blocked;
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, nullptr, &blocked), 0);
  EXPECT_EQ(sigismember(&blocked, SIGINT), 0);
}

}  // namespace
}  // namespace larder::demo
