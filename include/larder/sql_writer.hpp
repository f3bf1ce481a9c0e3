// SQL statements as typed writers.
//
//   larder::Cache<std::int64_t, Product> products{runtime, {
//       .source = larder::sql<std::int64_t, Product>(shop, kRead),
//       .writer = larder::sql_writer<std::int64_t, Product>(shop, {
//           .write = "UPDATE products SET name = :name, price = :price WHERE id = :id",
//           .remove = "DELETE FROM products WHERE id = :id",
//           .read = {.one = kRead}}),
//   }};
//
// A key is what it is for sql(); a single part takes the name that `read` gives it. The
// value's codec makes a JSON object of it, whose fields are the other parameters.
//
// Threads: any may call the functions; writers as in writer.hpp. Encoding happens on the
// caller's thread, decoding on that which ran the statement.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/codec.hpp"
#include "larder/sql.hpp"
#include "larder/sql_database.hpp"
#include "larder/writer.hpp"

namespace larder {

namespace sql_detail {

// Writes through `writer` what `bind` makes of keys, `encode` of values, and `decode` of
// rows. `bind` is Result<SqlParameters>(const Key&), `encode` Result<std::string>(const
// Value&), `decode` Result<Value>(std::string).
template <class Key, class Value, class Bind, class Encode, class Decode>
class StatementWriter final : public Writer<Key, Value> {
 public:
  using typename Writer<Key, Value>::Begin;
  using typename Writer<Key, Value>::Done;
  using Outcome = Result<Stored<Value>>;

  StatementWriter(std::shared_ptr<SqlWriter> writer, Bind bind, Encode encode, Decode decode)
      : writer_{std::move(writer)},
        bind_{std::move(bind)},
        encode_{std::move(encode)},
        decode_{std::move(decode)} {}

  void submit(std::vector<Write<Key, Value>> writes, Begin begin, Done done) override {
    std::vector<Outcome> outcomes(writes.size());
    std::vector<SqlWriteItem> items;
    std::vector<std::size_t> places;  // of each item in `outcomes`
    for (std::size_t i = 0; i < writes.size(); ++i) {
      Result<SqlWriteItem> bound = item(writes[i]);
      if (!bound) {
        outcomes[i] = std::unexpected{std::move(bound.error())};
        continue;
      }
      items.push_back(std::move(*bound));
      places.push_back(i);
    }
    if (items.empty()) return done(std::move(outcomes));
    writer_->submit(
        std::move(items), std::move(begin),
        [outcomes = std::move(outcomes), places = std::move(places), decode = decode_,
         done = std::move(done)](std::vector<Result<Stored<std::string>>> rows) mutable {
          for (std::size_t i = 0; i < rows.size(); ++i) {
            outcomes[places[i]] = decoded(decode, std::move(rows[i]));
          }
          done(std::move(outcomes));
        });
  }

  [[nodiscard]] std::string describe() const override { return writer_->describe(); }
  [[nodiscard]] bool removes() const override { return writer_->removes(); }
  [[nodiscard]] bool keeps_marks() const override { return writer_->keeps_marks(); }
  [[nodiscard]] std::size_t most_writes() const override { return 1000; }

 private:
  [[nodiscard]] Result<SqlWriteItem> item(const Write<Key, Value>& write) const {
    Result<SqlParameters> key = bind_(write.key);
    if (!key) return std::unexpected{std::move(key.error())};
    SqlWriteItem made{.key = std::move(*key), .mark = write.mark};
    if (!write.value) return made;
    Result<std::string> value = encode_(*write.value);
    if (!value) return std::unexpected{std::move(value.error())};
    made.value = std::move(*value);
    return made;
  }

  // A row that is no Value is in the source all the same; whoever reads it gets the error.
  static Outcome decoded(const Decode& decode, Result<Stored<std::string>> row) {
    if (!row) return std::unexpected{std::move(row.error())};
    Stored<Value> stored{.told = row->told, .changed = row->changed};
    if (!row->value) return stored;
    Result<Value> value = decode(std::move(*row->value));
    if (value) {
      stored.value = std::move(*value);
    } else {
      stored.told = false;
    }
    return stored;
  }

  const std::shared_ptr<SqlWriter> writer_;
  const Bind bind_;
  const Encode encode_;
  const Decode decode_;
};

template <class Key, class Value, class Bind, class Encode, class Decode>
[[nodiscard]] std::shared_ptr<Writer<Key, Value>> make_writer(std::shared_ptr<SqlWriter> writer,
                                                              Bind bind, Encode encode,
                                                              Decode decode) {
  return std::make_shared<StatementWriter<Key, Value, Bind, Encode, Decode>>(
      std::move(writer), std::move(bind), std::move(encode), std::move(decode));
}

}  // namespace sql_detail

// Blocks while the database checks the statements. Throws Failure, with the statement and
// the place in it, when they cannot work.
template <class Key, class Value, class C = DefaultCodec<Value>>
  requires Codec<C, Value>
[[nodiscard]] std::shared_ptr<Writer<Key, Value>> sql_writer(
    const std::shared_ptr<SqlDatabase>& database, SqlWrite write) {
  auto writer = database->prepare_write(std::move(write), sql_detail::parameter_names<Key>());
  if (!writer) throw Failure{std::move(writer.error())};
  const auto encode = [](const Value& value) -> Result<std::string> {
    try {
      return std::string{C::encode(value)};
    } catch (const Failure& failure) {
      return std::unexpected{failure.error()};
    }
  };
  const auto decode = [](std::string text) -> Result<Value> {
    if constexpr (std::same_as<C, BytesCodec>) {
      return text;
    } else {
      return C::decode(text);
    }
  };
  return sql_detail::make_writer<Key, Value>(
      std::move(*writer), [](const Key& key) { return sql_detail::parameters(key); }, encode,
      decode);
}

// Keys as text, values as JSON text: what a server writes.
[[nodiscard]] inline std::shared_ptr<Writer<std::string, std::string>> sql_text_writer(
    std::shared_ptr<SqlWriter> writer, SqlBind bind) {
  return sql_detail::make_writer<std::string, std::string>(
      std::move(writer), std::move(bind),
      [](const std::string& value) -> Result<std::string> { return value; },
      [](std::string text) -> Result<std::string> { return text; });
}

}  // namespace larder
