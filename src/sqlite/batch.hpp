// Many keys in one query: their list for `:ids`, and which row belongs to which.
//
// Pure logic. It promises that a key which is asked with others gets the answer
// that it would get alone. Keys that a row may not tell apart are set aside, to be
// asked alone: SQLite finds 'abc' for 'ABC' in a NOCASE column, and 42 for '042' in
// an INTEGER one. So are integers for a TEXT column, which it finds when they are
// bound, and does not find when they come out of a JSON array.
//
// Threads: confine to one. The keys must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "larder/sql_database.hpp"

namespace larder {

class SqlBatch {
 public:
  // REQUIRES: each key has exactly one parameter.
  // `text_column`: the column of the keys has TEXT affinity.
  explicit SqlBatch(std::span<const SqlParameters> keys, bool text_column = false);

  // The keys that must be asked alone, by their places.
  [[nodiscard]] const std::vector<std::size_t>& alone() const { return alone_; }
  // The others.
  [[nodiscard]] const std::vector<std::size_t>& together() const { return together_; }

  // The place of the key that a row names; nullopt when none was asked so.
  [[nodiscard]] std::optional<std::size_t> find(std::int64_t key) const;
  [[nodiscard]] std::optional<std::size_t> find(std::string_view key) const;

  // The keys at `places`, as `:ids` takes them: a JSON array.
  [[nodiscard]] std::string list(std::span<const std::size_t> places) const;

 private:
  std::span<const SqlParameters> keys_;
  std::vector<std::size_t> alone_;
  std::vector<std::size_t> together_;
  std::unordered_map<std::int64_t, std::size_t> integers_;
  std::unordered_map<std::string_view, std::size_t> texts_;
};

}  // namespace larder
