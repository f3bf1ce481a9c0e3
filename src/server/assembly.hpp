// Puts a configuration's parts together: databases, sources, caches, keyspace.
//
// Threads: assemble() blocks while it opens databases; not on an I/O thread.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "cache/keyspace.hpp"
#include "config/config.hpp"
#include "config/problem.hpp"
#include "larder/runtime.hpp"
#include "larder/sql_database.hpp"

namespace larder {

// A source and what reads from it.
struct AssembledSource {
  std::string name;
  std::shared_ptr<SqlDatabase> database;
  std::vector<std::shared_ptr<SqlReader>> readers;

  // Statements run since the start.
  [[nodiscard]] std::uint64_t queries() const;
};

struct Assembly {
  std::unique_ptr<Keyspace> keyspace;
  std::vector<AssembledSource> sources;
};

// How a runtime has to be for a configuration.
[[nodiscard]] RuntimeOptions runtime_options(const Config& config);

// Everything, or what is in the way of it: all of it, each with the place of the
// setting that it is about. The runtime must outlive what it returns.
[[nodiscard]] std::expected<Assembly, std::vector<Problem>> assemble(Runtime& runtime,
                                                                     const Config& config);

// What the databases that a configuration names refuse of it.
[[nodiscard]] std::vector<Problem> check_databases(const Config& config);

}  // namespace larder
