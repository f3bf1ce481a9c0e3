#include "postgres/write_pool.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace larder {

void PostgresWritePool::start(const Connection& connection, Works works) {
  std::erase_if(works, [](PostgresWriteWork& work) { return !work.begin(); });
  if (works.empty()) return idle(connection);
  std::make_shared<PostgresWriting>(connection, std::move(works), target().name(), options(),
                                    recheck(connection))
      ->run();
  if (!connection->busy()) idle(connection);
}

// A schema that no longer fits shows when the statement is sent again.
PostgresWriting::Recheck PostgresWritePool::recheck(const Connection& connection) {
  return [target = target(), runtime = runtime(), connection](
             const std::shared_ptr<PostgresWritePlan>& plan, std::move_only_function<void()> then) {
    runtime.block([target, connection, plan, then = std::move(then)]() mutable {
      (void)plan->check(target);
      boost::asio::post(connection->executor(), std::move(then));
    });
  };
}

}  // namespace larder
