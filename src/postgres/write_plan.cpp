#include "postgres/write_plan.hpp"

#include <algorithm>

#include "base/sql_place.hpp"
#include "codec/write_fields.hpp"
#include "codec/write_mark.hpp"
#include "postgres/describe.hpp"
#include "postgres/sqlstates.hpp"

namespace larder {

Result<std::shared_ptr<PostgresWriteChecked>> PostgresWritePlan::ask(PGconn* session) {
  const std::string name = "larder_" + std::to_string(id_) + "_" + std::to_string(++checks_);
  const std::vector<std::string>& json = write_.read.json_columns;
  // Fail where there is no such table, which is none of these mistakes; and where the
  // session is lost, which the next will tell.
  auto set = describe_write(session, kSetMark, {}, name + "_mark");
  auto take_back = describe_write(session, kTakeBackMark, {}, name + "_take_back");
  auto sweep = describe_write(session, kSweepMarks, {}, name + "_sweep");
  for (const auto* each : {&set, &take_back, &sweep}) {
    if (*each || each->error().code != Errc::kInvalidArgument) continue;
    if (each->error().state == sqlstates::kUndefinedTable) continue;
    return fail(each->error().code, std::string{kMarksMisfit} + each->error().message);
  }
  auto read = describe_read(session, write_.read.one, key_, json, name + "_read");
  if (!read) return std::unexpected{read.error()};
  auto write = describe_write(session, write_.write, json, name + "_write");
  if (!write) return std::unexpected{write.error()};
  if (auto wrong = check_write_names(write->text.parameters, key_, write_)) {
    return std::unexpected{std::move(*wrong)};
  }
  auto checked = std::make_shared<PostgresWriteChecked>();
  const bool returns = !write->shape.columns.empty();
  for (const PostgresShape::Column& column : read->shape.columns) {
    const std::size_t at = write->shape.find(column.name);
    if (at != PostgresShape::npos) checked->order.push_back(static_cast<int>(at));
  }
  const bool same = checked->order.size() == read->shape.columns.size() &&
                    write->shape.columns.size() == read->shape.columns.size();
  if (returns && (!same || write_.read.rows)) {
    return fail(
        Errc::kInvalidArgument,
        "RETURNING must give the columns that `read` gives, so that a row is the same value "
        "however it came: " +
            join(read->shape.names()) + ", and not " + join(write->shape.names()) +
            "; or leave it out, and `read` runs again:\n  " + write_.write);
  }
  if (!write_.remove.empty()) {
    auto remove = describe_write(session, write_.remove, json, name + "_remove");
    if (!remove) return std::unexpected{remove.error()};
    if (auto wrong = check_remove_names(remove->text.parameters, key_, write_)) {
      return std::unexpected{std::move(*wrong)};
    }
    checked->remove = std::move(*remove);
  }
  if (set && take_back && sweep) {
    checked->marks.emplace(std::move(*set), std::move(*take_back), std::move(*sweep));
  }
  checked->write = std::move(*write);
  checked->read = std::move(*read);
  // With a version, it also tells a conflict from a row that is not there.
  checked->reads = (!returns && !write_.keep_value) || !write_.version.empty();
  return checked;
}

Result<void> PostgresWritePlan::check(const PostgresTarget& target) {
  const Result<PostgresSession> session = target.connect();
  if (!session) return std::unexpected{session.error()};
  auto checked = ask(session->get());
  if (!checked) {
    return fail(checked.error().code, target.name() + ": " + checked.error().message);
  }
  const MutexLock lock{mutex_};
  checked_ = std::move(*checked);
  return {};
}

std::shared_ptr<const PostgresWriteChecked> PostgresWritePlan::checked() const {
  const MutexLock lock{mutex_};
  return checked_;
}

}  // namespace larder
