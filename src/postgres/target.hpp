// Which server a URL names, and how a session with it begins.
//
// Threads: immutable once parsed; connect() from any thread that may wait.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/error.hpp"
#include "larder/postgres.hpp"
#include "postgres/handles.hpp"

namespace larder {

class PostgresTarget {
 public:
  // `url` as libpq takes it, with all its options; an error shows nothing of its
  // values. Connects to nothing. Replicas are never read: `target_session_attrs` becomes `primary`
  // (`read-write` stays), and one that asks for a replica is refused.
  [[nodiscard]] static Result<PostgresTarget> parse(const std::string& url,
                                                    const PostgresOptions& options);

  // The same, for sessions that may write. Not those that read.
  [[nodiscard]] PostgresTarget to_write() const;

  // "postgresql://shop@db/shop": without password and options.
  [[nodiscard]] const std::string& name() const { return name_; }

  // A session that is ready for work, non-blocking and in pipeline mode. Blocks, for as
  // long as connect_timeout for each host; 5 s unless the URL says otherwise.
  [[nodiscard]] Result<PostgresSession> connect() const;
  // Whether, after connect() failed, it is that a server refuses this session (its password, its
  // database): waiting mends nothing. No: there is no server, none is the primary, it is full, or
  // there was but a moment without. Blocks, as connect() twice.
  [[nodiscard]] bool refuses() const;

 private:
  PostgresTarget() = default;

  std::vector<std::pair<std::string, std::string>> settings_;
  std::string session_;           // the statements that a session begins with
  bool shares_sessions_ = false;  // with others, through PgBouncer
  std::string wish_;              // another, where the server knows it; empty: none
  std::string name_;
};

}  // namespace larder
