// From callbacks on any thread to Asio completion handlers on their executor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <memory>
#include <type_traits>
#include <utility>

namespace larder::detail {

// Holds a completion handler until the operation is done, and its executor busy
// until then. complete() is called once, on any thread; the handler runs on its
// own executor, never inside the initiating function.
template <class Handler>
class Completion : public std::enable_shared_from_this<Completion<Handler>> {
 public:
  Completion(Handler handler, const boost::asio::any_io_executor& fallback)
      : executor_{boost::asio::prefer(boost::asio::get_associated_executor(handler, fallback),
                                      boost::asio::execution::outstanding_work.tracked)},
        handler_{std::move(handler)} {}

  template <class Result>
  void complete(Result result) {
    boost::asio::post(executor_,
                      [self = this->shared_from_this(), result = std::move(result)]() mutable {
                        boost::asio::get_associated_cancellation_slot(self->handler_).clear();
                        Handler handler = std::move(self->handler_);
                        self.reset();
                        std::move(handler)(std::move(result));
                      });
  }

  // Calls `cancel` on the handler's executor when the caller cancels. Call it
  // from the initiating function.
  template <class Cancel>
  void on_cancel(Cancel cancel) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (!slot.is_connected()) return;
    slot.assign([cancel = std::move(cancel)](boost::asio::cancellation_type type) {
      if (type != boost::asio::cancellation_type::none) cancel();
    });
  }

 private:
  using Executor = std::decay_t<decltype(boost::asio::prefer(
      boost::asio::get_associated_executor(std::declval<const Handler&>(),
                                           std::declval<const boost::asio::any_io_executor&>()),
      boost::asio::execution::outstanding_work.tracked))>;

  Executor executor_;
  Handler handler_;
};

}  // namespace larder::detail
