#include "sqlite/load.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "sqlite/batch.hpp"

namespace larder {

namespace {

// The rows of one key, as they come, until they are its value.
class Rows {
 public:
  Rows(const SqlitePlan& plan, const SqliteFile& file) : plan_{plan}, file_{file} {}

  // Takes the statement's current row. An error is kept, and more rows then change nothing.
  void take(const SqliteStatement& statement, std::span<const std::size_t> order) {
    if (error_) return;
    if (!plan_.read.rows && count_ == 1) {
      error_ = {Errc::kBadValue,
                file_.name +
                    ": more than one row for a key: make the statement give one, or "
                    "take all rows as an array:\n  " +
                    plan_.read.one};
      return;
    }
    if (plan_.read.rows) text_ += count_ == 0 ? '[' : ',';
    ++count_;
    doubtful_ = doubtful_ || depends_on_marks(statement.get(), statement.shape());
    const Result<void> appended =
        append_row(text_, statement.get(), statement.shape(), order, file_.options.max_value);
    if (!appended) error_ = {appended.error().code, file_.name + ": " + appended.error().message};
  }

  [[nodiscard]] bool any() const { return count_ > 0 || error_; }
  // The value may be another when SQLite runs the statement otherwise.
  [[nodiscard]] bool doubtful() const { return doubtful_; }
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] std::size_t bytes() const { return text_.size(); }

  [[nodiscard]] Loaded<std::string> value() && {
    if (error_) return std::unexpected{std::move(*error_)};
    if (plan_.read.rows) return std::optional{count_ == 0 ? "[]" : std::move(text_) + ']'};
    if (count_ == 0) return std::nullopt;
    return std::optional{std::move(text_)};
  }

 private:
  const SqlitePlan& plan_;
  const SqliteFile& file_;
  std::string text_;
  std::size_t count_ = 0;
  bool doubtful_ = false;
  std::optional<Error> error_;
};

// One load, from its keys to their values.
class Load {
 public:
  Load(SqliteConnection& connection, SqlitePlan& plan, SqliteStatements& statements,
       std::span<const SqlParameters> keys, const SqliteFile& file)
      : connection_{connection},
        plan_{plan},
        statements_{statements},
        keys_{keys},
        file_{file},
        results_(keys.size()) {}

  std::vector<Loaded<std::string>> run() {
    if (keys_.size() == 1) {
      one(0);
      return std::move(results_);
    }
    const SqliteConnection::Snapshot snapshot{connection_};
    if (statements_.many && plan_.agreement != Agreement::kDifferent) {
      results_.resize(together());
    } else {
      results_.resize(one_by_one());
    }
    return std::move(results_);
  }

 private:
  using Agreement = SqlitePlan::Agreement;

  // How many keys it came to; so does together().
  std::size_t one_by_one() {
    std::size_t place = 0;
    while (place < keys_.size() && !enough()) one(place++);
    return place;
  }

  [[nodiscard]] bool enough() const { return loaded_bytes_ >= kEnoughAtOnce; }

  void keep(std::size_t place, Loaded<std::string> value) {
    if (value && *value) loaded_bytes_ += (*value)->size();
    results_[place] = std::move(value);
  }

  // Asks for one key by itself.
  void one(std::size_t place) {
    if (std::optional<Error> why = connection_.in_vain()) {
      results_[place] = std::unexpected{std::move(*why)};
      return;
    }
    SqliteStatement& statement = statements_.one;
    Rows rows{plan_, file_};
    Result<void> done = statement.bind(keys_[place]);
    if (done) {
      count_query();
      done = connection_.run(statement, plan_, [&]() -> Result<void> {
        rows.take(statement, statement.shape().in_order);
        if (rows.failed()) return fail(Errc::kBadValue, {});  // only to stop; `rows` knows why
        return {};
      });
    } else {
      statement.reset();
    }
    if (!done && !rows.failed()) {
      results_[place] = std::unexpected{done.error()};
    } else {
      keep(place, std::move(rows).value());
    }
  }

  // In the order of the keys, so that what is left out is the end of them.
  std::size_t together() {
    const RowShape& shape = statements_.many->shape();
    const SqlBatch batch{keys_, shape.columns[shape.find(plan_.read.many_key)].text};
    std::span<const std::size_t> left{batch.together()};
    std::span<const std::size_t> alone{batch.alone()};
    while ((!left.empty() || !alone.empty()) && !enough()) {
      if (!alone.empty() && (left.empty() || alone.front() < left.front())) {
        one(alone.front());
        alone = alone.subspan(1);
        continue;
      }
      std::size_t count = std::min(left.size(), plan_.keys_at_once.load(std::memory_order_relaxed));
      if (!alone.empty()) {
        const auto next = std::ranges::lower_bound(left.first(count), alone.front());
        count = static_cast<std::size_t>(next - left.begin());
      }
      left = left.subspan(chunk(batch, left.first(count)));
    }
    const std::size_t end = keys_.size();
    return std::min(left.empty() ? end : left.front(), alone.empty() ? end : alone.front());
  }

  // Asks for the keys at `places`, which are sorted, in one query. How many of them are
  // done with; 0 when their values are more than enough, so that fewer are to be asked.
  std::size_t chunk(const SqlBatch& batch, std::span<const std::size_t> places) {
    SqliteStatement& many = *statements_.many;
    std::vector<Rows> rows(places.size(), Rows{plan_, file_});
    std::optional<std::vector<std::size_t>> order;
    bool strangers = false;  // rows of keys that were not asked, as far as one can see
    std::size_t bytes = 0;   // of the rows so far
    std::size_t begun = 0;   // keys that had rows
    const auto too_much = [&] {
      return places.size() > 1 && bytes >= kEnoughAtOnce &&
             (begun < places.size() || bytes >= 2 * kEnoughAtOnce);
    };

    const SqlParameters ids{{"ids", batch.list(places)}};
    Result<void> done = many.bind(ids);
    if (done) {
      count_query();
      done = connection_.run(many, plan_, [&]() -> Result<void> {
        if (!order) order = statements_.order_of_many(plan_);
        if (!order) return fail(Errc::kSourceFailed, "the columns changed");
        const std::optional<std::size_t> place = key_of_row(batch);
        const auto at = place ? std::ranges::lower_bound(places, *place) : places.end();
        if (at == places.end() || *at != *place) {
          strangers = true;
          return {};
        }
        Rows& taken = rows[static_cast<std::size_t>(at - places.begin())];
        if (taken.bytes() == 0) ++begun;
        bytes -= taken.bytes();
        taken.take(many, *order);
        bytes += taken.bytes();
        if (too_much()) return fail(Errc::kOverloaded, {});  // only to stop
        return {};
      });
    } else {
      many.reset();
    }
    if (too_much()) {
      ask_fewer(std::min(begun, places.size() / 2));
      return 0;
    }
    if (bytes < kEnoughAtOnce / 4) ask_more(places.size());

    if (done) compare(places, rows);
    const bool good = done && plan_.agreement != Agreement::kDifferent;
    for (std::size_t i = 0; i < places.size(); ++i) {
      // One key's row may have failed them all, and a stranger may be the row of a
      // key that looks otherwise there: whoever may be concerned is asked alone.
      const bool sure = good && (rows[i].any() || !strangers);
      if (!sure && enough()) return i;
      if (sure)
        keep(places[i], std::move(rows[i]).value());
      else
        one(places[i]);
    }
    return places.size();
  }

  // How many keys one query has, for all loads of the plan: as many as have values that are
  // enough, at most. Other loads may set it at the same time; it is a guess.
  void ask_fewer(std::size_t keys) {
    plan_.keys_at_once.store(std::max<std::size_t>(keys, 1), std::memory_order_relaxed);
  }
  void ask_more(std::size_t asked) {
    const std::size_t now = plan_.keys_at_once.load(std::memory_order_relaxed);
    if (asked < now || now >= SqlitePlan::kMostAtOnce) return;
    plan_.keys_at_once.store(std::min(2 * now, SqlitePlan::kMostAtOnce), std::memory_order_relaxed);
  }

  // SQLite marks what its JSON functions made, and loses the mark in a sorter: the same
  // column may be JSON in one statement and text in the other. So the first value
  // for which that matters is asked for by both.
  void compare(std::span<const std::size_t> places, const std::vector<Rows>& rows) {
    if (plan_.agreement != Agreement::kUnknown) return;
    const auto doubtful = std::ranges::find_if(rows, &Rows::doubtful);
    if (doubtful == rows.end()) return;
    const std::size_t place = places[static_cast<std::size_t>(doubtful - rows.begin())];
    one(place);
    plan_.agreement =
        results_[place] == Rows{*doubtful}.value() ? Agreement::kSame : Agreement::kDifferent;
  }

  // Whose row the current one of `many` is.
  [[nodiscard]] std::optional<std::size_t> key_of_row(const SqlBatch& batch) const {
    sqlite3_stmt* many = statements_.many->get();
    const auto column = static_cast<int>(statements_.many->shape().find(plan_.read.many_key));
    switch (sqlite3_column_type(many, column)) {
      case SQLITE_INTEGER: return batch.find(std::int64_t{sqlite3_column_int64(many, column)});
      case SQLITE_FLOAT: {
        constexpr double kExact = 9007199254740992;  // 2^53
        const double number = sqlite3_column_double(many, column);
        if (std::abs(number) > kExact || std::trunc(number) != number) return std::nullopt;
        return batch.find(static_cast<std::int64_t>(number));
      }
      case SQLITE_TEXT: {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(many, column));
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(many, column));
        if (text == nullptr) return std::nullopt;
        return batch.find(std::string_view{text, size});
      }
      default: return std::nullopt;
    }
  }

  void count_query() { plan_.queries.fetch_add(1, std::memory_order_relaxed); }

  SqliteConnection& connection_;
  SqlitePlan& plan_;
  SqliteStatements& statements_;
  std::span<const SqlParameters> keys_;
  const SqliteFile& file_;
  std::vector<Loaded<std::string>> results_;
  std::size_t loaded_bytes_ = 0;  // of the values in results_
};

}  // namespace

std::vector<Loaded<std::string>> load_keys(SqliteConnection& connection,
                                           const std::shared_ptr<SqlitePlan>& plan,
                                           std::span<const SqlParameters> keys,
                                           const SqliteFile& file) {
  const Result<SqliteStatements*> statements = connection.statements(plan);
  if (!statements) {
    // They did prepare when the plan was made: the database is another now, and
    // whoever asks for a key has made no mistake.
    Error error = statements.error();
    if (error.code == Errc::kInvalidArgument) error.code = Errc::kSourceFailed;
    return {keys.size(), std::unexpected{std::move(error)}};
  }
  return Load{connection, *plan, **statements, keys, file}.run();
}

}  // namespace larder
