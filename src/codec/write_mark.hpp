// A mark of one write, which the database keeps in the write's own transaction, so that a
// write that is sent again is not done again.
//
//   CREATE TABLE larder_applied (journal TEXT, position BIGINT, PRIMARY KEY (journal, position))
//
// Marks (WriteMark, larder/writer.hpp) are kept where that table is.
#pragma once

#include <string_view>

namespace larder {

inline constexpr std::string_view kMarksTable = "larder_applied";
// What is said where that table cannot take marks, before the database's own words.
inline constexpr std::string_view kMarksMisfit =
    "the table larder_applied is there, but takes no marks of writes; make it as "
    "docs/write-behind.md does, or call it something else: ";
// Each has the parameters :journal and :position. What sets a mark before it is known whether the
// write changes a row takes it back where it did not.
inline constexpr const char* kFindMark =
    "UPDATE larder_applied SET position = position WHERE journal = :journal AND position = "
    ":position";
inline constexpr const char* kSetMark =
    "INSERT INTO larder_applied (journal, position) VALUES (:journal, :position)";
inline constexpr const char* kTakeBackMark =
    "DELETE FROM larder_applied WHERE journal = :journal AND position = :position";
inline constexpr const char* kSweepMarks =
    "DELETE FROM larder_applied WHERE journal = :journal AND position < :position";

}  // namespace larder
