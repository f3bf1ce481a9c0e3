// Asks the database what a statement takes and gives. Nothing of it is run.
//
// Threads: one at a time for a session; they block.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <vector>

#include "larder/error.hpp"
#include "postgres/handles.hpp"
#include "postgres/row_json.hpp"
#include "postgres/statement_text.hpp"

namespace larder {

// One statement as the database described it.
struct PostgresStatement {
  std::string prepared;  // its name in a session that prepares it; unique for its shape
  PostgresText text;
  PostgresShape shape;  // without columns: it returns no rows
  std::vector<Oid> parameter_types;
};

// One that only reads. Its parameters are named by `parameters`, as postgres_text() has it; it
// takes the name `name` where it is prepared.
[[nodiscard]] Result<PostgresStatement> describe_read(PGconn* session, const std::string& sql,
                                                      const std::vector<std::string>& parameters,
                                                      const std::vector<std::string>& json_columns,
                                                      std::string name);

// One INSERT, UPDATE, DELETE or MERGE, whose parameters have any names.
[[nodiscard]] Result<PostgresStatement> describe_write(PGconn* session, const std::string& sql,
                                                       const std::vector<std::string>& json_columns,
                                                       std::string name);

}  // namespace larder
