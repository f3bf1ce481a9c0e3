#include "postgres/plan.hpp"

#include <algorithm>

#include "base/sql_place.hpp"
#include "postgres/describe.hpp"

namespace larder {

namespace {

std::unexpected<Error> refuse(std::string problem, const std::string& sql) {
  return fail(Errc::kInvalidArgument,
              "the statement is refused: " + std::move(problem) + ":\n  " + sql);
}

// How rows of `many` are told apart and written as those of `one`.
Result<void> match_columns(PostgresChecked& checked, const SqlRead& read) {
  const PostgresShape& one = checked.one.shape;
  const PostgresShape& many = checked.many->shape;
  const std::size_t key = many.find(read.many_key);
  if (key == PostgresShape::npos) {
    return refuse("for many keys it must have the column " + read.many_key +
                      " to tell the rows' keys; it has " + join(many.names()),
                  read.many);
  }
  checked.key_of_many = static_cast<int>(key);
  for (const PostgresShape::Column& column : one.columns) {
    const std::size_t at = many.find(column.name);
    const bool same = at != PostgresShape::npos && many.columns[at].oid == column.oid;
    if (same) checked.order_of_many.push_back(static_cast<int>(at));
  }
  const std::size_t extra = one.find(read.many_key) == PostgresShape::npos ? 1 : 0;
  if (checked.order_of_many.size() == one.columns.size() &&
      many.columns.size() == one.columns.size() + extra) {
    return {};
  }
  return refuse(
      "the statements for one and for many keys must give the same columns, of the same "
      "types; for one: " +
          join(one.names()) + "; for many: " + join(many.names()),
      read.many);
}

}  // namespace

Result<void> PostgresPlan::check(const PostgresTarget& target) {
  const auto named = [&](Error error) {
    return std::unexpected{Error{error.code, target.name() + ": " + std::move(error.message)}};
  };
  const Result<PostgresSession> session = target.connect();
  if (!session) return std::unexpected{session.error()};
  const std::string name = "larder_" + std::to_string(id_) + "_" + std::to_string(++checks_);
  auto one = describe_read(session->get(), read_.one, parameters_, read_.json_columns, name);
  if (!one) return named(std::move(one.error()));

  auto checked = std::make_shared<PostgresChecked>();
  checked->one = std::move(*one);
  if (!read_.many.empty()) {
    auto many =
        describe_read(session->get(), read_.many, {"ids"}, read_.json_columns, name + "_many");
    if (!many) return named(std::move(many.error()));
    if (many->parameter_types.size() != 1) {
      return named(refuse("it must use :ids, as in WHERE id = ANY(:ids)", read_.many).error());
    }
    checked->many = std::move(*many);
    if (auto matched = match_columns(*checked, read_); !matched) return named(matched.error());
  }
  const MutexLock lock{mutex_};
  checked_ = std::move(checked);
  return {};
}

std::shared_ptr<const PostgresChecked> PostgresPlan::checked() const {
  const MutexLock lock{mutex_};
  return checked_;
}

}  // namespace larder
