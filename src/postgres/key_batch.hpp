// Many keys in one query: their list for `:ids`, and which row belongs to which.
//
// Pure logic. A key that is asked with others gets the answer that it would get
// alone. A row names its key by the text that PostgreSQL prints; where equal keys may
// print differently (another case in citext, '042' in an integer column), a
// key without a row is not sure to be absent, and is asked alone.
//
// Threads: confine to one. The keys must outlive it.
#pragma once

#include <libpq-fe.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "larder/sql_database.hpp"

namespace larder {

// A parameter's value as PostgreSQL takes it; nullopt: NULL. An error when its text
// cannot carry it.
[[nodiscard]] Result<std::optional<std::string>> postgres_parameter(const SqlValue& value);

class PostgresKeyBatch {
 public:
  // REQUIRES: each key has exactly one parameter. `list` is the type of `:ids`.
  PostgresKeyBatch(std::span<const SqlParameters> keys, Oid list);

  // The keys that must be asked alone, by their places, and the others.
  [[nodiscard]] const std::vector<std::size_t>& alone() const { return alone_; }
  [[nodiscard]] const std::vector<std::size_t>& together() const { return together_; }

  // The place of the key that a row names; nullopt when none was asked so.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view row) const;

  // Whether a key of the list's type that no row names is absent for sure, as
  // long as each row named a key: of exact types.
  [[nodiscard]] bool exact() const { return exact_; }

  // The keys at `places` as an array's text.
  [[nodiscard]] std::string list(std::span<const std::size_t> places) const;

 private:
  std::vector<std::string> texts_;  // by place
  std::vector<std::size_t> alone_;
  std::vector<std::size_t> together_;
  std::unordered_map<std::string_view, std::size_t> places_;
  bool exact_ = false;
};

}  // namespace larder
