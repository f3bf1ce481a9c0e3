// libpq's objects, each with its owner.
#pragma once

#include <libpq-fe.h>

#include <memory>

namespace larder {

struct PostgresFinish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
};
using PostgresSession = std::unique_ptr<PGconn, PostgresFinish>;
using PostgresResult = std::unique_ptr<PGresult, PostgresFinish>;
using PostgresCancel = std::unique_ptr<PGcancel, PostgresFinish>;

}  // namespace larder
