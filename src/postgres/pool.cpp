#include "postgres/pool.hpp"

#include <algorithm>
#include <utility>

namespace larder {

// Loads of one plan that has a statement for many keys become one; the others stand
// beside each other in the pipeline.
void PostgresPool::start(const Connection& connection, Works works) {
  std::vector<Works> parts;
  for (PostgresWork& work : works) {
    if (!work.begun && !work.begin()) continue;  // given up: its Done is destroyed
    work.begun = true;
    const auto fits = [&](const Works& part) {
      return part.front().plan == work.plan && work.plan->checked()->many.has_value();
    };
    const auto part = std::ranges::find_if(parts, fits);
    if (part != parts.end())
      part->push_back(std::move(work));
    else
      parts.emplace_back().push_back(std::move(work));
  }
  for (Works& part : parts) start_one(connection, std::move(part));
  if (!connection->busy()) idle(connection);
}

void PostgresPool::start_one(const Connection& connection, Works works) {
  std::make_shared<PostgresLoad>(
      connection, std::move(works), target().name(), options(),
      [self = self()](Works back, PostgresLoad::Again again, const Error& why) {
        self->take_back(std::move(back), again, why);
      })
      ->run();
}

// Reading twice is safe, so what a lost session owes is asked again, once; what
// took too long is not.
void PostgresPool::take_back(Works works, PostgresLoad::Again again, const Error& why) {
  const bool resend = again == PostgresLoad::Again::kResend;
  const bool final_error = why.code == Errc::kTimeout || why.code == Errc::kCancelled;
  Works retried;
  for (PostgresWork& work : works) {
    bool& before = resend ? work.resent : work.rechecked;
    if (before || final_error) {
      Error error = why;
      if (error.code == Errc::kTimeout) error.code = Errc::kSourceFailed;
      fail_work(std::move(work), error);
    } else {
      before = true;
      retried.push_back(std::move(work));
    }
  }
  if (retried.empty()) return;
  if (resend) return put_in_front(std::move(retried));
  recheck(std::move(retried));
}

void PostgresPool::recheck(Works works) {
  runtime().block([self = self(), works = std::move(works)]() mutable {
    const Result<void> checked = works.front().plan->check(self->target());
    if (checked) return self->put_in_front(std::move(works));
    const Error error{
        Errc::kSourceFailed,
        "the schema changed, and the statement no longer fits it: " + checked.error().message};
    for (PostgresWork& work : works) fail_work(std::move(work), error);
  });
}

}  // namespace larder
