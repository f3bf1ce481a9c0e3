// The connections that read from one database, and the loads that wait for one.
//
// Threads: any.
#pragma once

#include <memory>
#include <vector>

#include "postgres/load.hpp"
#include "postgres/sessions.hpp"

namespace larder {

class PostgresPool final : public PostgresSessions<PostgresWork> {
 public:
  PostgresPool(Runtime& runtime, PostgresTarget target, PostgresOptions options)
      : PostgresSessions{runtime, std::move(target), options, "loads"} {}

 private:
  void start(const Connection& connection, Works works) override;
  void start_one(const Connection& connection, Works works);
  void take_back(Works works, PostgresLoad::Again again, const Error& why);
  void recheck(Works works);
  [[nodiscard]] std::shared_ptr<PostgresPool> self() {
    return std::static_pointer_cast<PostgresPool>(shared_from_this());
  }
};

}  // namespace larder
