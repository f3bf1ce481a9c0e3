#include "server/marked_sql_writer.hpp"

#include "codec/write_mark.hpp"

namespace larder {

// Keys fit the pattern: they came through it, or the journal kept them from when they did.
// One that does not, after the pattern was changed, has no parts, and is refused for that.
void MarkedSqlWriter::submit(std::vector<Write<std::string, std::string>> writes,
                             std::vector<behind::Position> positions,
                             behind::Position settled_below, Source::Begin begin,
                             Source::Done done) {
  if (const auto lost = sole_->lost()) {
    if (!begin()) return;
    return done(std::vector<Result<Stored<std::string>>>(writes.size(), std::unexpected{*lost}));
  }
  std::vector<SqlWriteItem> items;
  items.reserve(writes.size());
  for (std::size_t i = 0; i < writes.size(); ++i) {
    SqlWriteItem item{.key = {}, .value = std::move(writes[i].value)};
    std::string problem;
    if (pattern_.match(writes[i].key, &item.key, &problem) != KeyPattern::Match::kYes) {
      item.key.clear();
    }
    add_mark(item.key, {.journal = journal_,
                        .position = static_cast<std::int64_t>(positions[i]),
                        .settled_below = static_cast<std::int64_t>(settled_below)});
    items.push_back(std::move(item));
  }
  writer_->submit(std::move(items), std::move(begin), std::move(done));
}

}  // namespace larder
