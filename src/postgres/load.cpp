#include "postgres/load.hpp"

#include <algorithm>
#include <utility>

#include "postgres/messages.hpp"

namespace larder {

namespace {

// Keys of one query or group, at most: bounds how long one runs.
constexpr std::size_t kKeysAtOnce = 1000;

}  // namespace

void fail_work(PostgresWork work, const Error& error) {
  if (!work.begun && !work.begin()) return;
  work.done(std::vector<Loaded<std::string>>(work.keys.size(), std::unexpected{error}));
}

PostgresLoad::PostgresLoad(std::shared_ptr<PostgresConnection> connection,
                           std::vector<PostgresWork> works, std::string name,
                           PostgresOptions options, Back back)
    : connection_{std::move(connection)},
      plan_{works.front().plan},
      checked_{plan_->checked()},
      name_{std::move(name)},
      options_{options},
      works_{std::move(works)},
      back_{std::move(back)} {
  for (const PostgresWork& work : works_) {
    keys_.insert(keys_.end(), work.keys.begin(), work.keys.end());
  }
  results_.resize(keys_.size());
}

void PostgresLoad::run() {
  ++under_way_;  // this function
  if (checked_->many && keys_.size() > 1) {
    together();
  } else {
    std::vector<std::size_t> all(keys_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    ask_ones(std::move(all));
  }
  settled();
}

void PostgresLoad::together() {
  batch_.emplace(keys_, checked_->many->parameter_types.front());
  std::span<const std::size_t> left{batch_->together()};
  while (!left.empty()) {
    const std::size_t count = std::min(left.size(), kKeysAtOnce);
    ask_many(left.first(count));
    left = left.subspan(count);
  }
  ask_ones(batch_->alone());
}

void PostgresLoad::ask(std::vector<PostgresCommand> commands,
                       std::move_only_function<void(std::vector<PostgresResult>)> then) {
  ++under_way_;
  plan_->queries.fetch_add(commands.size(), std::memory_order_relaxed);
  connection_->send(checked_, std::move(commands),
                    [self = shared_from_this(),
                     then = std::move(then)](PostgresConnection::Replies replies) mutable {
                      if (replies)
                        then(std::move(*replies));
                      else
                        self->lost_ = std::move(replies.error());
                      self->settled();
                    });
}

void PostgresLoad::ask_many(std::span<const std::size_t> places) {
  std::vector<PostgresCommand> commands;
  commands.push_back({&*checked_->many, {batch_->list(places)}});
  ask(std::move(commands),
      [this, own = std::vector(places.begin(), places.end())](std::vector<PostgresResult> results) {
        take_many(own, std::move(results.front()));
      });
}

// In one group, as far as their parameters can be bound.
void PostgresLoad::ask_ones(std::vector<std::size_t> places) {
  std::vector<PostgresCommand> commands;
  std::vector<std::size_t> asked;
  for (const std::size_t place : places) {
    PostgresCommand command{&checked_->one, {}};
    std::optional<Error> wrong;
    for (const std::string& name : checked_->one.text.parameters) {
      const SqlParameters& key = keys_[place];
      const auto value =
          name.empty() ? key.begin() : std::ranges::find(key, name, &SqlParameter::name);
      if (value == key.end()) {
        wrong = Error{Errc::kInvalidArgument, "the key gives no value for :" + name};
        break;
      }
      auto text = postgres_parameter(value->value);
      if (text)
        command.values.push_back(std::move(*text));
      else
        wrong = text.error();
    }
    if (wrong) {
      results_[place] = fail(wrong->code, name_ + ": " + wrong->message);
      continue;
    }
    commands.push_back(std::move(command));
    asked.push_back(place);
    if (asked.size() < kKeysAtOnce) continue;
    ask(std::exchange(commands, {}),
        [this, own = std::exchange(asked, {})](std::vector<PostgresResult> results) {
          take_ones(own, std::move(results));
        });
  }
  if (asked.empty()) return;
  ask(std::move(commands), [this, own = std::move(asked)](std::vector<PostgresResult> results) {
    take_ones(own, std::move(results));
  });
}

bool PostgresLoad::outdated(const PGresult* result, const PostgresStatement& statement) {
  const bool rows = PQresultStatus(result) == PGRES_TUPLES_OK;
  if (rows ? statement.shape.fits(result) : !is_outdated(sqlstate(result))) return false;
  outdated_ = rows ? Error{Errc::kSourceFailed, name_ + ": the statement's columns changed"}
                   : query_failed(result, name_, options_.query_timeout);
  return true;
}

void PostgresLoad::take_ones(const std::vector<std::size_t>& places,
                             std::vector<PostgresResult> results) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    const PGresult* result = results[i].get();
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_ABORTED) {  // by an earlier key's error
      again_.push_back(places[i]);
    } else if (outdated(result, checked_->one)) {
      return;
    } else if (status != PGRES_TUPLES_OK) {
      results_[places[i]] = std::unexpected{query_failed(result, name_, options_.query_timeout)};
    } else {
      std::vector<int> rows(static_cast<std::size_t>(PQntuples(result)));
      for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = static_cast<int>(row);
      results_[places[i]] = value(result, checked_->one, rows, checked_->one.shape.in_order);
    }
  }
}

// A key's row may have failed them all, and a stranger may be the row of a key that
// looks otherwise there: whoever may be concerned is asked alone.
void PostgresLoad::take_many(const std::vector<std::size_t>& places, PostgresResult result) {
  if (outdated(result.get(), *checked_->many)) return;
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
    again_.insert(again_.end(), places.begin(), places.end());
    return;
  }
  std::vector<std::vector<int>> rows(keys_.size());
  bool strangers = false;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    const int column = checked_->key_of_many;
    const std::string_view key{PQgetvalue(result.get(), row, column),
                               static_cast<std::size_t>(PQgetlength(result.get(), row, column))};
    if (const auto place = batch_->find(key))
      rows[*place].push_back(row);
    else
      strangers = true;
  }
  for (const std::size_t place : places) {
    if (rows[place].empty() && (strangers || !batch_->exact()))
      again_.push_back(place);
    else
      results_[place] = value(result.get(), *checked_->many, rows[place], checked_->order_of_many);
  }
}

Loaded<std::string> PostgresLoad::value(const PGresult* result, const PostgresStatement& statement,
                                        std::span<const int> rows,
                                        std::span<const int> order) const {
  const SqlRead& read = plan_->read();
  if (rows.empty() && !read.rows) return std::nullopt;
  if (rows.size() > 1 && !read.rows) {
    return fail(Errc::kBadValue, name_ +
                                     ": more than one row for a key: make the statement give one, "
                                     "or take all rows as an array:\n  " +
                                     read.one);
  }
  std::string text;
  if (read.rows) text += '[';
  for (const int row : rows) {
    if (row != rows.front()) text += ',';
    const Result<void> appended =
        append_row(text, result, row, statement.shape, order, options_.max_value);
    if (!appended) return fail(appended.error().code, name_ + ": " + appended.error().message);
  }
  if (read.rows) text += ']';
  return std::optional{std::move(text)};
}

// A group has its reply, or the groups have all been sent.
void PostgresLoad::settled() {
  if (--under_way_ > 0) return;
  if (lost_ || outdated_) {
    const Again again = lost_ ? Again::kResend : Again::kRecheck;
    return back_(std::move(works_), again, lost_ ? *lost_ : *outdated_);
  }
  if (again_.empty()) return finish();
  ++under_way_;
  for (const std::size_t place : std::exchange(again_, {})) ask_ones({place});
  settled();
}

void PostgresLoad::finish() {
  auto result = results_.begin();
  for (PostgresWork& work : works_) {
    const auto end = result + static_cast<std::ptrdiff_t>(work.keys.size());
    work.done({std::make_move_iterator(result), std::make_move_iterator(end)});
    result = end;
  }
}

}  // namespace larder
