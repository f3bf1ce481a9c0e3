// SQL statements as typed sources.
//
//   auto shop = larder::sqlite(runtime, "shop.db");
//   auto products = larder::sql<std::int64_t, Product>(
//       shop, "SELECT id, name, price FROM products WHERE id = :id");
//
// A key is an integer, an enum (a strong typedef) or a string: it is the
// statement's only parameter, whatever its name. Or it is a struct described
// with BOOST_DESCRIBE_STRUCT: each member is the parameter of its name (of a
// single member, the statement's only one). A value is what its codec decodes
// from the row's JSON (codec.hpp); a std::string is the JSON itself.
//
// Threads: any may call the functions; sources as in source.hpp. Decoding
// happens on the thread that ran the query.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "larder/codec.hpp"
#include "larder/error.hpp"
#include "larder/source.hpp"
#include "larder/sql_database.hpp"

namespace larder {

namespace sql_detail {

// A key or a member of one, as what SQL binds.
template <class T>
[[nodiscard]] Result<SqlValue> value(const T& from) {
  if constexpr (std::same_as<T, bool>) {
    return SqlValue{std::int64_t{from ? 1 : 0}};
  } else if constexpr (std::integral<T>) {
    if (std::in_range<std::int64_t>(from)) return SqlValue{static_cast<std::int64_t>(from)};
    return fail(Errc::kInvalidArgument,
                "the key " + std::to_string(from) + " is larger than SQL's integers");
  } else if constexpr (std::is_enum_v<T>) {
    return value(static_cast<std::underlying_type_t<T>>(from));
  } else if constexpr (std::floating_point<T>) {
    return SqlValue{double{from}};
  } else if constexpr (json_detail::IsOptional<T>::value) {
    return from ? value(*from) : SqlValue{};
  } else {
    static_assert(std::convertible_to<const T&, std::string_view>,
                  "a SQL key is an integer, an enum, a string, or a struct of such members "
                  "described with BOOST_DESCRIBE_STRUCT");
    return SqlValue{std::string{std::string_view{from}}};
  }
}

// The names of Key's parameters; one empty name for the statement's only one.
template <class Key>
[[nodiscard]] std::vector<std::string> parameter_names() {
  std::vector<std::string> names;
  if constexpr (json_detail::DescribedStruct<Key>) {
    boost::mp11::mp_for_each<json_detail::Members<Key>>(
        [&](auto member) { names.emplace_back(member.name); });
  }
  if (names.size() < 2) names.assign(1, {});
  return names;
}

template <class Key>
[[nodiscard]] Result<SqlParameters> parameters(const Key& key) {
  SqlParameters bound;
  std::optional<Error> wrong;
  const auto add = [&](std::string name, Result<SqlValue> bind) {
    if (bind)
      bound.push_back({std::move(name), std::move(*bind)});
    else
      wrong = bind.error();
  };
  if constexpr (json_detail::DescribedStruct<Key>) {
    boost::mp11::mp_for_each<json_detail::Members<Key>>(
        [&](auto member) { add(member.name, value(key.*member.pointer)); });
    if (bound.size() == 1) bound.front().name.clear();
  } else {
    add({}, value(key));
  }
  if (wrong) return std::unexpected{std::move(*wrong)};
  return bound;
}

// Loads the keys that `bind` takes through `reader`, and decodes what it brings.
// `bind` is Result<SqlParameters>(const Key&), `decode` Result<Value>(std::string).
template <class Key, class Value, class Bind, class Decode>
class ReaderSource final : public Source<Key, Value> {
 public:
  using Begin = typename Source<Key, Value>::Begin;
  using Done = typename Source<Key, Value>::Done;

  ReaderSource(std::shared_ptr<SqlReader> reader, Bind bind, Decode decode)
      : reader_{std::move(reader)}, bind_{std::move(bind)}, decode_{std::move(decode)} {}

  void load(std::vector<Key> keys, Done done) override {
    submit(std::move(keys), [] { return true; }, std::move(done));
  }

  void submit(std::vector<Key> keys, Begin begin, Done done) override {
    std::vector<Loaded<Value>> results(keys.size());
    std::vector<SqlParameters> bound;
    std::vector<std::size_t> places;  // of each bound key in `results`
    for (std::size_t i = 0; i < keys.size(); ++i) {
      Result<SqlParameters> parameters = bind_(keys[i]);
      if (!parameters) {
        results[i] = std::unexpected{std::move(parameters.error())};
        continue;
      }
      bound.push_back(std::move(*parameters));
      places.push_back(i);
    }
    if (bound.empty()) return done(std::move(results));
    reader_->submit(std::move(bound), std::move(begin),
                    [results = std::move(results), places = std::move(places), decode = decode_,
                     done = std::move(done)](std::vector<Loaded<std::string>> rows) mutable {
                      for (std::size_t i = 0; i < rows.size(); ++i) {
                        results[places[i]] = decoded(decode, std::move(rows[i]));
                      }
                      if (rows.size() < places.size()) results.resize(places[rows.size()]);
                      done(std::move(results));
                    });
  }

  [[nodiscard]] std::string describe() const override { return reader_->describe(); }
  [[nodiscard]] std::size_t most_keys() const override { return reader_->most_keys(); }
  [[nodiscard]] bool answers_in_parts() const override { return true; }

 private:
  static Loaded<Value> decoded(const Decode& decode, Loaded<std::string> row) {
    if (!row) return std::unexpected{std::move(row.error())};
    if (!*row) return std::optional<Value>{};
    Result<Value> value = decode(std::move(**row));
    if (!value) return std::unexpected{std::move(value.error())};
    return std::optional<Value>{std::move(*value)};
  }

  std::shared_ptr<SqlReader> reader_;
  Bind bind_;
  Decode decode_;
};

template <class Key, class Value, class Bind, class Decode>
[[nodiscard]] std::shared_ptr<Source<Key, Value>> make_source(std::shared_ptr<SqlReader> reader,
                                                              Bind bind, Decode decode) {
  return std::make_shared<ReaderSource<Key, Value, Bind, Decode>>(
      std::move(reader), std::move(bind), std::move(decode));
}

}  // namespace sql_detail

// The rows that `read` brings, as values. Blocks while the database checks the
// statements. Throws Failure, with the statement and the place in it, when they
// cannot work.
template <class Key, class Value, class C = DefaultCodec<Value>>
  requires Codec<C, Value>
[[nodiscard]] std::shared_ptr<Source<Key, Value>> sql(const std::shared_ptr<SqlDatabase>& database,
                                                      SqlRead read) {
  auto reader = database->prepare(std::move(read), sql_detail::parameter_names<Key>());
  if (!reader) throw Failure{std::move(reader.error())};
  const auto decode = [](std::string text) -> Result<Value> {
    if constexpr (std::same_as<C, BytesCodec>) {
      return text;
    } else {
      return C::decode(text);
    }
  };
  return sql_detail::make_source<Key, Value>(
      std::move(*reader), [](const Key& key) { return sql_detail::parameters(key); }, decode);
}

// The same for a statement that answers one key with one row.
template <class Key, class Value, class C = DefaultCodec<Value>>
  requires Codec<C, Value>
[[nodiscard]] std::shared_ptr<Source<Key, Value>> sql(const std::shared_ptr<SqlDatabase>& database,
                                                      std::string read) {
  return sql<Key, Value, C>(database, SqlRead{.one = std::move(read)});
}

// How a key's text becomes parameters. Called by any thread.
using SqlBind = std::function<Result<SqlParameters>(std::string_view key)>;

// Keys as text, values as JSON text: what a server keeps.
[[nodiscard]] inline std::shared_ptr<Source<std::string, std::string>> sql_text(
    std::shared_ptr<SqlReader> reader, SqlBind bind) {
  return sql_detail::make_source<std::string, std::string>(
      std::move(reader), std::move(bind),
      [](std::string text) -> Result<std::string> { return text; });
}

}  // namespace larder
