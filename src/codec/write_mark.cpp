#include "codec/write_mark.hpp"

#include <utility>
#include <variant>

namespace larder {

namespace {

constexpr std::string_view kJournal = "larder journal";
constexpr std::string_view kPosition = "larder position";
constexpr std::string_view kSettled = "larder settled";

}  // namespace

void add_mark(SqlParameters& key, WriteMark mark) {
  key.push_back({std::string{kJournal}, std::move(mark.journal)});
  key.push_back({std::string{kPosition}, mark.position});
  key.push_back({std::string{kSettled}, mark.settled_below});
}

std::optional<WriteMark> mark_of(const SqlParameters& key) {
  if (key.size() < 3 || key.back().name != kSettled) return std::nullopt;
  const auto at = key.end() - 3;
  return WriteMark{.journal = std::get<std::string>(at[0].value),
                   .position = std::get<std::int64_t>(at[1].value),
                   .settled_below = std::get<std::int64_t>(at[2].value)};
}

}  // namespace larder
