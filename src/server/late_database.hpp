// A database that cannot be reached when the server starts. Its statements are checked when it
// can be; until then what asks it fails, as it does when a database goes away later.
//
// It is tried by a thread of its own, with rests that grow up to some seconds. Reached, it is well,
// whatever it says to its statements. One that it refuses is told once, fails what uses it with the
// database's words, and is tried again, since its tables may come.
//
// Threads: any, as every database.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "larder/sql_database.hpp"

namespace larder {

class LateDatabase final : public SqlDatabase {
 public:
  // Called on its thread, without a lock, in order.
  struct Told {
    // It is reached. Once.
    std::function<void()> reached;
    // How many statements it refuses now. After each look at them.
    std::function<void(std::size_t statements)> refused;
    // What people are to know of it. As of SourceState.
    std::function<void(bool well, const std::string& sentence)> sentence;
  };
  using Open = std::function<Result<std::shared_ptr<SqlDatabase>>()>;

  // `name` is what it is called, in what is told and described; `why` it could not be reached.
  // `open` is called on the thread, and may block. None of what is told is null.
  LateDatabase(std::string name, Error why, Open open, Told told);

  // Checked now, once the database was reached; noted before.
  [[nodiscard]] Result<std::shared_ptr<SqlReader>> prepare(
      SqlRead read, std::vector<std::string> parameters) override;
  [[nodiscard]] Result<std::shared_ptr<SqlWriter>> prepare_write(
      SqlWrite write, std::vector<std::string> parameters) override;
  // Waits for an attempt that is under way.
  void close() override;

 private:
  class Attempts;
  class Reader;
  class Writer;

  const std::shared_ptr<Attempts> attempts_;
};

}  // namespace larder
