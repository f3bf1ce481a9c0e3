// The connections that write to one database, and the writes that wait for one.
//
// They are not those that read, whose sessions take no writes. What waits when a connection
// becomes free goes as one transaction (write.hpp), and the connection takes no more until
// that has ended: so the busier it is, the more writes share a commit.
//
// Threads: any.
#pragma once

#include <memory>

#include "postgres/sessions.hpp"
#include "postgres/write.hpp"

namespace larder {

class PostgresWritePool final : public PostgresSessions<PostgresWriteWork> {
 public:
  PostgresWritePool(Runtime& runtime, const PostgresTarget& target, PostgresOptions options)
      : PostgresSessions{runtime, target.to_write(), options, "writes"} {}

 private:
  void start(const Connection& connection, Works works) override;
  // A commit costs the same however much it carries, so nothing is left for those that are busy.
  [[nodiscard]] std::size_t sharing(std::size_t, std::size_t free) const override { return free; }
  [[nodiscard]] PostgresWriting::Recheck recheck(const Connection& connection);
};

}  // namespace larder
