#include "sqlite/write.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "codec/write_fields.hpp"
#include "codec/write_mark.hpp"
#include "sqlite/load.hpp"
#include "sqlite/messages.hpp"

namespace larder {

namespace {

using Outcome = Result<Stored<std::string>>;
using Outcomes = std::vector<Outcome>;

// A field as SQLite stores it: JSON's numbers as the integers and reals that they are.
Result<SqlValue> sqlite_value(JsonField field) {
  switch (field.kind) {
    case JsonField::Kind::kNull: return SqlValue{};
    case JsonField::Kind::kFalse: return SqlValue{std::int64_t{0}};
    case JsonField::Kind::kTrue: return SqlValue{std::int64_t{1}};
    case JsonField::Kind::kNumber: break;
    default: return SqlValue{std::move(field.text)};
  }
  const char* const end = field.text.data() + field.text.size();
  if (field.text.find_first_of(".eE") == std::string::npos) {
    std::int64_t integer = 0;
    const auto read = std::from_chars(field.text.data(), end, integer);
    if (read.ec == std::errc{} && read.ptr == end) return SqlValue{integer};
    return fail(Errc::kInvalidArgument, "the value's \"" + field.name + "\" is " +
                                            field.text.substr(0, 64) +
                                            ", larger than SQLite's integers");
  }
  double real = 0;
  const auto read = std::from_chars(field.text.data(), end, real);
  if (read.ec == std::errc{} && read.ptr == end) return SqlValue{real};
  return fail(Errc::kInvalidArgument, "the value's \"" + field.name + "\" is " +
                                          field.text.substr(0, 64) + ", beyond SQLite's reals");
}

// One batch on its way through a transaction.
class Batch {
 public:
  Batch(SqliteConnection& connection, std::span<const SqliteWriteTask> tasks,
        const SqliteFile& file)
      : connection_{connection}, tasks_{tasks}, file_{file} {}

  // None: the transaction did not hold, for a reason that may be one task's alone.
  std::optional<Outcomes> run() {
    connection_.start_work();
    if (const Result<void> begun = connection_.begin_write(); !begun) return all(begun.error());
    Outcomes outcomes;
    outcomes.reserve(tasks_.size());
    for (const SqliteWriteTask& task : tasks_) {
      outcomes.push_back(run(task));
      if (connection_.in_transaction()) continue;
      if (tasks_.size() > 1) return std::nullopt;
      return outcomes;  // rolled back, for its own error
    }
    sweep();
    return commit(std::move(outcomes));
  }

 private:
  std::optional<Outcomes> commit(Outcomes outcomes) {
    const auto failed = connection_.commit();
    if (!failed) {
      tasks_.front().plan->transactions.fetch_add(1, std::memory_order_relaxed);
      return outcomes;
    }
    if (failed->code == Errc::kRejected && tasks_.size() > 1) return std::nullopt;
    // What was refused before it came to that stays refused.
    for (Outcome& outcome : outcomes) {
      if (outcome) outcome = std::unexpected{*failed};
    }
    return outcomes;
  }

  Outcomes all(const Error& error) {
    Outcomes outcomes;
    for (std::size_t i = 0; i < tasks_.size(); ++i) outcomes.emplace_back(std::unexpected{error});
    return outcomes;
  }

  Outcome run(const SqliteWriteTask& task) {
    if (std::optional<Error> why = connection_.in_vain()) return std::unexpected{std::move(*why)};
    const auto statements = this->statements(task);
    if (!statements) return std::unexpected{statements.error()};
    const auto& mark = task.item.mark;
    if (!mark || !(*statements)->marks) return carry_out(task, **statements);
    const Result<std::int64_t> found = mark_by((*statements)->marks->find, *mark, mark->position);
    if (found && *found > 0) return Stored<std::string>{.told = false};  // done, and not settled
    if (found) return carry_out_once(task, **statements, *mark);
    if (!has_no_marks_table(found.error())) return std::unexpected{found.error()};
    connection_.forget(*task.plan);
    const auto without = this->statements(task);
    if (!without) return std::unexpected{without.error()};
    return carry_out(task, **without);
  }

  Result<SqliteWriteStatements*> statements(const SqliteWriteTask& task) {
    auto statements = connection_.write_statements(task.plan);
    // They did prepare: the database is another now.
    if (!statements && statements.error().code == Errc::kInvalidArgument) {
      statements.error().code = Errc::kSourceFailed;
    }
    return statements;
  }

  // It was there when the statements were prepared. SQLite has no code of its own for that.
  static bool has_no_marks_table(const Error& error) {
    return error.message.contains("no such table: ") && error.message.contains(kMarksTable);
  }

  Outcome carry_out(const SqliteWriteTask& task, SqliteWriteStatements& statements) {
    if (!task.item.value) return remove(task, *statements.remove);
    return put(task, statements.write);
  }

  // The mark is set behind the write, so that a write that fails leaves none.
  Outcome carry_out_once(const SqliteWriteTask& task, SqliteWriteStatements& statements,
                         const WriteMark& mark) {
    Outcome outcome = carry_out(task, statements);
    if (!outcome) return outcome;
    // Without it the write is done all the same, and would be done again after a crash.
    (void)mark_by(statements.marks->set, mark, mark.position);
    return outcome;
  }

  // Marks that nobody will ask for.
  void sweep() {
    const SqliteWriteTask& task = tasks_.back();
    const auto& mark = task.item.mark;
    if (!mark || mark->settled_below == 0) return;
    const auto statements = connection_.write_statements(task.plan);
    if (!statements || !(*statements)->marks) return;
    (void)mark_by((*statements)->marks->sweep, *mark, mark->settled_below);
  }

  Result<std::int64_t> mark_by(SqliteStatement& statement, const WriteMark& mark,
                               std::int64_t position) {
    return connection_.change(statement, {mark.journal, position});
  }

  [[nodiscard]] std::unexpected<Error> at_file(Error error) const {
    return std::unexpected{Error{error.code, file_.name + ": " + std::move(error.message)}};
  }

  Outcome put(const SqliteWriteTask& task, SqliteStatement& write) {
    const Result<std::vector<JsonField>> fields = json_fields(*task.item.value);
    if (!fields) return at_file(fields.error());
    Result<std::vector<WriteBinding>> bindings =
        bind_write(write.parameters(), task.item.key, *fields);
    if (!bindings) return at_file(bindings.error());
    const Result<std::int64_t> changed = change(write, std::move(*bindings));
    if (!changed) return std::unexpected{changed.error()};
    if (*changed == 0) return std::unexpected{nothing_changed(task)};
    if (task.plan->write.keep_value) return Stored<std::string>{.value = task.item.value};
    return read(task);
  }

  // What the database holds for the key now, in the same transaction. What RETURNING gives
  // will not do: there, SQLite shows a whole number in a REAL column as an integer.
  Outcome read(const SqliteWriteTask& task) {
    auto loaded = load_keys(connection_, task.plan->read, {&task.item.key, 1}, file_);
    if (!loaded.front()) return Stored<std::string>{.told = false};
    return Stored<std::string>{.value = std::move(*loaded.front())};
  }

  Error nothing_changed(const SqliteWriteTask& task) {
    const SqlWrite& write = task.plan->write;
    if (!write.version.empty()) {
      const Outcome there = read(task);
      if (there && there->value) {
        return {Errc::kConflict, file_.name + ": the row is not at the given \"" + write.version +
                                     "\" any more: read it, and write again"};
      }
    }
    return {Errc::kRejected, file_.name +
                                 ": no row was changed; is there a row for this key? The "
                                 "statement:\n  " +
                                 write.write};
  }

  Outcome remove(const SqliteWriteTask& task, SqliteStatement& statement) {
    Result<std::vector<WriteBinding>> bindings =
        bind_write(statement.parameters(), task.item.key, {});
    if (!bindings) return at_file(bindings.error());
    const Result<std::int64_t> changed = change(statement, std::move(*bindings));
    if (!changed) return std::unexpected{changed.error()};
    return Stored<std::string>{.changed = *changed > 0};
  }

  Result<std::int64_t> change(SqliteStatement& statement, std::vector<WriteBinding> bindings) {
    std::vector<SqlValue> values;
    for (WriteBinding& binding : bindings) {
      if (auto* part = std::get_if<SqlValue>(&binding)) {
        values.push_back(std::move(*part));
        continue;
      }
      Result<SqlValue> value = sqlite_value(std::get<JsonField>(std::move(binding)));
      if (!value) return at_file(value.error());
      values.push_back(std::move(*value));
    }
    return connection_.change(statement, values);
  }

  SqliteConnection& connection_;
  std::span<const SqliteWriteTask> tasks_;
  const SqliteFile& file_;
};

}  // namespace

Outcomes write_rows(SqliteConnection& connection, std::span<const SqliteWriteTask> tasks,
                    const SqliteFile& file) {
  if (auto together = Batch{connection, tasks, file}.run()) return std::move(*together);
  Outcomes outcomes;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    auto alone = Batch{connection, tasks.subspan(i, 1), file}.run();
    outcomes.push_back(std::move(alone->front()));  // one task is never sent back
  }
  return outcomes;
}

}  // namespace larder
