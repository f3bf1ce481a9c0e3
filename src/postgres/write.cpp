#include "postgres/write.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "codec/write_fields.hpp"
#include "codec/write_mark.hpp"
#include "postgres/messages.hpp"
#include "postgres/row_json.hpp"
#include "postgres/sqlstates.hpp"
#include "postgres/write_binding.hpp"

namespace larder {

namespace {

bool is_error(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
}

bool is_marked_already(const PGresult* result) {
  const char* const table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
  return sqlstate(result) == sqlstates::kUniqueViolation && table != nullptr &&
         table == kMarksTable;
}

// It was there when the statements were checked last.
bool has_no_marks_table(const PGresult* result) {
  const char* const said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return sqlstate(result) == sqlstates::kUndefinedTable && said != nullptr &&
         std::string_view{said}.contains(kMarksTable);
}

std::uint64_t rows_changed(PGresult* result) {
  const std::string_view text{PQcmdTuples(result)};
  std::uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

}  // namespace

void fail_work(PostgresWriteWork work, const Error& error) {
  if (!work.begin()) return;
  work.done(std::vector<Result<Stored<std::string>>>(work.items.size(), std::unexpected{error}));
}

PostgresWriting::PostgresWriting(std::shared_ptr<PostgresConnection> connection,
                                 std::vector<PostgresWriteWork> works, std::string name,
                                 PostgresOptions options, Recheck recheck)
    : connection_{std::move(connection)},
      name_{std::move(name)},
      options_{options},
      recheck_{std::move(recheck)},
      works_{std::move(works)} {
  for (const PostgresWriteWork& work : works_) {
    for (const SqlWriteItem& item : work.items)
      tasks_.push_back({.plan = work.plan, .item = &item});
  }
}

void PostgresWriting::run() {
  ++under_way_;  // this function
  Places all(tasks_.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  send(std::move(all));
  settled();
}

// As one group, which is one transaction. What cannot be bound is answered and left out.
void PostgresWriting::send(Places places) {
  std::vector<PostgresCommand> group;
  std::vector<std::shared_ptr<const void>> keep;
  std::erase_if(places, [&](std::size_t place) {
    Task& task = tasks_[place];
    task.checked = task.plan->checked();
    auto own = commands(task, group.empty());
    if (!own) {
      task.outcome = fail(own.error().code, name_ + ": " + own.error().message);
      return true;
    }
    std::ranges::move(*own, std::back_inserter(group));
    keep.push_back(task.checked);
    return false;
  });
  if (places.empty()) return;
  if (!connection_->open()) {
    for (const std::size_t place : places) {
      tasks_[place].outcome =
          fail(Errc::kSourceFailed, name_ + ": the connection was lost, before anything was sent");
    }
    return;
  }
  ++under_way_;
  connection_->send(std::make_shared<const decltype(keep)>(std::move(keep)), std::move(group),
                    [self = shared_from_this(),
                     places = std::move(places)](PostgresConnection::Replies replies) mutable {
                      self->take(places, std::move(replies));
                      self->settled();
                    });
}

Result<std::vector<PostgresCommand>> PostgresWriting::commands(Task& task, bool first) const {
  const auto bound = [&](const PostgresStatement& statement,
                         const std::vector<JsonField>& fields) -> Result<PostgresCommand> {
    auto bindings = bind_write(statement.text.parameters, task.item->key, fields);
    if (!bindings) return std::unexpected{std::move(bindings.error())};
    PostgresCommand command{&statement, {}};
    for (std::size_t i = 0; i < bindings->size(); ++i) {
      auto text = postgres_binding((*bindings)[i], statement.parameter_types[i]);
      if (!text) return std::unexpected{std::move(text.error())};
      command.values.push_back(std::move(*text));
    }
    return command;
  };
  const PostgresWriteChecked& checked = *task.checked;
  std::vector<JsonField> fields;
  if (task.item->value) {
    auto found = json_fields(*task.item->value);
    if (!found) return std::unexpected{std::move(found.error())};
    fields = std::move(*found);
  }
  std::vector<PostgresCommand> commands;
  const auto& mark = task.item->mark;
  const auto of_mark = [&](const PostgresStatement& statement, std::int64_t position) {
    commands.push_back({&statement, {mark->journal, std::to_string(position)}});
  };
  task.marked = mark && checked.marks;
  if (task.marked) of_mark(checked.marks->set, mark->position);
  auto change = bound(task.item->value ? checked.write : *checked.remove, fields);
  if (!change) return std::unexpected{std::move(change.error())};
  commands.push_back(std::move(*change));
  if (task.item->value && checked.reads) {
    auto read = bound(checked.read, {});
    if (!read) return std::unexpected{std::move(read.error())};
    commands.push_back(std::move(*read));
  }
  if (task.marked && first && mark->settled_below > 0) {
    of_mark(checked.marks->sweep, mark->settled_below);
  }
  task.commands = commands.size();
  return commands;
}

void PostgresWriting::take(const Places& places, PostgresConnection::Replies replies) {
  if (!replies) return leave_unknown(places, replies.error().message);
  // The one that failed ended the transaction; a further one is the commit's own.
  const auto failed = std::ranges::find_if(
      *replies, [](const PostgresResult& result) { return is_error(result.get()); });
  if (failed != replies->end()) {
    return take_failed(places, static_cast<std::size_t>(failed - replies->begin()), failed->get());
  }
  Places unchanged;
  std::span<const PostgresResult> left{*replies};
  for (const std::size_t place : places) {
    Task& task = tasks_[place];
    const std::size_t count = task.item->value && task.checked->reads ? 2 : 1;
    task.outcome = outcome(task, left.subspan(task.marked ? 1 : 0, count));
    left = left.subspan(task.commands);
    if (task.marked && !*task.outcome) unchanged.push_back(place);
  }
  tasks_[places.front()].plan->transactions.fetch_add(1, std::memory_order_relaxed);
  if (!unchanged.empty()) take_marks_back(unchanged);
}

// That they changed no row shows once their marks are committed. They are refused, and where
// somebody has them sent again, when there is a row, are not to be taken for done. If this fails
// they are refused all the same.
void PostgresWriting::take_marks_back(const Places& places) {
  std::vector<PostgresCommand> group;
  std::vector<std::shared_ptr<const void>> keep;
  for (const std::size_t place : places) {
    const Task& task = tasks_[place];
    group.push_back({&task.checked->marks->take_back,
                     {task.item->mark->journal, std::to_string(task.item->mark->position)}});
    keep.push_back(task.checked);
  }
  if (!connection_->open()) return;
  ++under_way_;
  connection_->send(
      std::make_shared<const decltype(keep)>(std::move(keep)), std::move(group),
      [self = shared_from_this()](const PostgresConnection::Replies&) { self->settled(); });
}

void PostgresWriting::leave_unknown(const Places& places, const std::string& why) {
  for (const std::size_t place : places) {
    tasks_[place].outcome = fail(
        Errc::kOutcomeUnknown,
        why + ". Whether the write was done is not known, and it may yet be: read the row to see");
  }
}

// Nothing of it was done, unless it is the session that ended: that may come behind the
// commit. Whose fault it was shows when each goes by itself.
void PostgresWriting::take_failed(const Places& places, std::size_t command, const PGresult* why) {
  if (ends_session(sqlstate(why))) {
    return leave_unknown(places, write_failed(why, name_, options_.query_timeout).message);
  }
  if (has_no_marks_table(why)) {
    const auto plan = tasks_[place_of(places, command)].plan;
    bool news = false;
    for (const std::size_t place : places) {
      Task& task = tasks_[place];
      if (task.plan == plan) news |= !std::exchange(task.unmarked, true);
    }
    if (news) return ask_again(plan, places);
  }
  if (places.size() > 1) {
    for (const std::size_t place : places) send({place});
    return;
  }
  Task& task = tasks_[places.front()];
  if (is_outdated(sqlstate(why)) && !std::exchange(task.rechecked, true)) {
    return ask_again(task.plan, places);
  }
  if (task.marked && is_marked_already(why)) {
    task.outcome = Stored<std::string>{.told = false};  // it was done, and not settled
    return;
  }
  task.outcome = std::unexpected{write_failed(why, name_, options_.query_timeout)};
}

// Whose command it is, of those that were sent for `places`. A further one is the commit's own.
std::size_t PostgresWriting::place_of(const Places& places, std::size_t command) const {
  for (const std::size_t place : places) {
    if (command < tasks_[place].commands) return place;
    command -= tasks_[place].commands;
  }
  return places.back();
}

void PostgresWriting::ask_again(const std::shared_ptr<PostgresWritePlan>& plan, Places places) {
  ++under_way_;
  recheck_(plan, [self = shared_from_this(), places = std::move(places)] {
    self->send(places);
    self->settled();
  });
}

PostgresWriting::Outcome PostgresWriting::outcome(const Task& task,
                                                  std::span<const PostgresResult> results) const {
  const std::uint64_t changed = rows_changed(results[0].get());
  if (!task.item->value) return Stored<std::string>{.changed = changed > 0};
  if (changed == 0) return std::unexpected{nothing_changed(task, results)};
  const PostgresWriteChecked& checked = *task.checked;
  if (task.plan->write().keep_value) return Stored<std::string>{.value = task.item->value};
  if (PQresultStatus(results[0].get()) == PGRES_TUPLES_OK) {
    return row(task, results[0].get(), checked.write, checked.order);
  }
  return row(task, results[1].get(), checked.read, checked.read.shape.in_order);
}

// What is no value, or more than one, is written all the same: whoever reads it is told.
PostgresWriting::Outcome PostgresWriting::row(const Task& task, const PGresult* result,
                                              const PostgresStatement& statement,
                                              std::span<const int> order) const {
  const bool all = task.plan->write().read.rows;
  const int rows = PQntuples(result);
  if (rows == 0 && !all) return Stored<std::string>{};
  if ((rows > 1 && !all) || !statement.shape.fits(result))
    return Stored<std::string>{.told = false};
  std::string text;
  if (all) text += '[';
  for (int at = 0; at < rows; ++at) {
    if (at > 0) text += ',';
    if (!append_row(text, result, at, statement.shape, order, options_.max_value)) {
      return Stored<std::string>{.told = false};
    }
  }
  if (all) text += ']';
  return Stored<std::string>{.value = std::move(text)};
}

Error PostgresWriting::nothing_changed(const Task& task,
                                       std::span<const PostgresResult> results) const {
  const SqlWrite& write = task.plan->write();
  if (!write.version.empty() && results.size() > 1 && PQntuples(results[1].get()) > 0) {
    return {Errc::kConflict, name_ + ": the row is not at the given \"" + write.version +
                                 "\" any more: read it, and write again"};
  }
  return {Errc::kRejected, name_ +
                               ": no row was changed; is there a row for this key? The "
                               "statement:\n  " +
                               write.write};
}

// A group has its reply, or all have been sent.
void PostgresWriting::settled() {
  if (--under_way_ > 0) return;
  auto task = tasks_.begin();
  for (PostgresWriteWork& work : works_) {
    std::vector<Outcome> outcomes;
    outcomes.reserve(work.items.size());
    for (std::size_t i = 0; i < work.items.size(); ++i, ++task) {
      outcomes.push_back(std::move(*task->outcome));
    }
    work.done(std::move(outcomes));
  }
}

}  // namespace larder
