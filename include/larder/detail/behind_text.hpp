// Sources and writers of a user's types as those of text, and back: what a journal keeps is text.
//
// Threads: as sources and writers.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "larder/codec.hpp"
#include "larder/error.hpp"
#include "larder/journal.hpp"
#include "larder/source.hpp"
#include "larder/writer.hpp"

namespace larder::detail {

template <class T>
[[nodiscard]] Result<std::string> to_text(const T& value) {
  try {
    return std::string{DefaultCodec<T>::encode(value)};
  } catch (const Failure& failure) {
    return std::unexpected{failure.error()};
  }
}

template <class T>
[[nodiscard]] Result<T> from_text(const std::string& text) {
  return DefaultCodec<T>::decode(text);
}

// What is told of refused keys.
template <class Key>
[[nodiscard]] std::function<void(const std::string&, const Error&)> told(
    std::function<void(const Key&, const Error&)> refused) {
  if (!refused) return {};
  return [refused = std::move(refused)](const std::string& text, const Error& why) {
    if (const Result<Key> key = from_text<Key>(text)) refused(*key, why);
  };
}

template <class Value>
[[nodiscard]] Loaded<std::string> loaded_as_text(const Loaded<Value>& loaded) {
  if (!loaded) return std::unexpected{loaded.error()};
  if (!*loaded) return std::optional<std::string>{};
  Result<std::string> text = to_text(**loaded);
  if (!text) return std::unexpected{std::move(text.error())};
  return std::optional{std::move(*text)};
}

template <class Value>
[[nodiscard]] Loaded<Value> loaded_from_text(const Loaded<std::string>& loaded) {
  if (!loaded) return std::unexpected{loaded.error()};
  if (!*loaded) return std::optional<Value>{};
  Result<Value> value = from_text<Value>(**loaded);
  if (!value) return std::unexpected{std::move(value.error())};
  return std::optional<Value>{std::move(*value)};
}

// The user's source, for who has keys as text.
template <class Key, class Value>
class SourceAsText final : public TextSource {
 public:
  explicit SourceAsText(std::shared_ptr<Source<Key, Value>> source) : source_{std::move(source)} {}

  void load(std::vector<std::string> keys, Done done) override {
    submit(std::move(keys), [] { return true; }, std::move(done));
  }
  void submit(std::vector<std::string> texts, Begin begin, Done done) override {
    std::vector<Key> keys;
    keys.reserve(texts.size());
    for (const std::string& text : texts) {
      Result<Key> key = from_text<Key>(text);
      // They were made of keys by the same codec.
      if (!key) {
        return done(std::vector<Loaded<std::string>>(texts.size(), std::unexpected{key.error()}));
      }
      keys.push_back(std::move(*key));
    }
    source_->submit(std::move(keys), std::move(begin),
                    [done = std::move(done)](std::vector<Loaded<Value>> results) mutable {
                      std::vector<Loaded<std::string>> shown;
                      shown.reserve(results.size());
                      for (const auto& each : results) shown.push_back(loaded_as_text(each));
                      done(std::move(shown));
                    });
  }
  [[nodiscard]] std::string describe() const override { return source_->describe(); }
  [[nodiscard]] std::size_t most_keys() const override { return source_->most_keys(); }
  [[nodiscard]] bool answers_in_parts() const override { return source_->answers_in_parts(); }

 private:
  const std::shared_ptr<Source<Key, Value>> source_;
};

// A source of text, for a cache of the user's types.
template <class Key, class Value>
class SourceFromText final : public Source<Key, Value> {
 public:
  using typename Source<Key, Value>::Begin;
  using typename Source<Key, Value>::Done;

  explicit SourceFromText(std::shared_ptr<TextSource> source) : source_{std::move(source)} {}

  void load(std::vector<Key> keys, Done done) override {
    submit(std::move(keys), [] { return true; }, std::move(done));
  }
  void submit(std::vector<Key> keys, Begin begin, Done done) override {
    std::vector<std::string> texts;
    texts.reserve(keys.size());
    for (const Key& key : keys) {
      Result<std::string> text = to_text(key);
      if (!text) return fail_all(keys.size(), text.error(), done);
      texts.push_back(std::move(*text));
    }
    source_->submit(std::move(texts), std::move(begin),
                    [done = std::move(done)](std::vector<Loaded<std::string>> results) mutable {
                      std::vector<Loaded<Value>> values;
                      values.reserve(results.size());
                      for (const auto& each : results)
                        values.push_back(loaded_from_text<Value>(each));
                      done(std::move(values));
                    });
  }
  [[nodiscard]] std::string describe() const override { return source_->describe(); }
  [[nodiscard]] std::size_t most_keys() const override { return source_->most_keys(); }
  [[nodiscard]] bool answers_in_parts() const override { return source_->answers_in_parts(); }

 private:
  static void fail_all(std::size_t count, const Error& why, Done& done) {
    std::vector<Loaded<Value>> results;  // filled one by one: a Value need not be copyable
    for (std::size_t i = 0; i < count; ++i) results.push_back(std::unexpected{why});
    done(std::move(results));
  }

  const std::shared_ptr<TextSource> source_;
};

// Takes writes from `Given` keys and values to a writer of `Taken` ones. `turn` is
// Result<Write<Taken…>>(const Write<Given…>&); what it cannot turn is answered with its error.
template <class Given, class Taken, class Outcomes, class Turn, class Begin, class Done>
void submit_turned(Taken& taken, const std::vector<Given>& writes, const Turn& turn, Begin begin,
                   Done done, Outcomes outcomes) {
  std::vector<std::decay_t<decltype(*turn(writes.front()))>> turned;
  std::vector<std::size_t> places;  // of each in `outcomes`
  for (std::size_t i = 0; i < writes.size(); ++i) {
    auto one = turn(writes[i]);
    if (!one) {
      outcomes[i] = std::unexpected{std::move(one.error())};
      continue;
    }
    turned.push_back(std::move(*one));
    places.push_back(i);
  }
  if (turned.empty()) {
    if (begin()) done(std::move(outcomes));
    return;
  }
  taken.submit(std::move(turned), std::move(begin),
               [outcomes = std::move(outcomes), places = std::move(places),
                done = std::move(done)](auto results) mutable {
                 for (std::size_t i = 0; i < results.size() && i < places.size(); ++i) {
                   auto& outcome = outcomes[places[i]];
                   if (results[i]) {
                     // What the source then holds the next read will ask.
                     outcome->told = false;
                     outcome->changed = results[i]->changed;
                   } else {
                     outcome = std::unexpected{std::move(results[i].error())};
                   }
                 }
                 done(std::move(outcomes));
               });
}

// The user's writer, for who has keys and values as text.
template <class Key, class Value>
class WriterAsText final : public TextWriter {
 public:
  explicit WriterAsText(std::shared_ptr<Writer<Key, Value>> writer) : writer_{std::move(writer)} {}

  void submit(std::vector<Write<std::string, std::string>> writes, Begin begin,
              Done done) override {
    const std::size_t count = writes.size();
    submit_turned(*writer_, writes, &turn, std::move(begin), std::move(done),
                  std::vector<Result<Stored<std::string>>>(count));
  }
  [[nodiscard]] std::string describe() const override { return writer_->describe(); }
  [[nodiscard]] bool removes() const override { return writer_->removes(); }
  [[nodiscard]] bool keeps_marks() const override { return writer_->keeps_marks(); }
  [[nodiscard]] std::size_t most_writes() const override { return writer_->most_writes(); }

 private:
  // An error: an earlier version of the program wrote what this one cannot read.
  static Result<Write<Key, Value>> turn(const Write<std::string, std::string>& write) {
    Result<Key> key = from_text<Key>(write.key);
    if (!key) return std::unexpected{std::move(key.error())};
    Write<Key, Value> turned{std::move(*key), std::nullopt, write.mark};
    if (!write.value) return turned;
    Result<Value> value = from_text<Value>(*write.value);
    if (!value) return std::unexpected{std::move(value.error())};
    turned.value.emplace(std::move(*value));
    return turned;
  }

  const std::shared_ptr<Writer<Key, Value>> writer_;
};

// A writer of text, for a cache of the user's types.
template <class Key, class Value>
class WriterFromText final : public Writer<Key, Value> {
 public:
  using typename Writer<Key, Value>::Begin;
  using typename Writer<Key, Value>::Done;

  explicit WriterFromText(std::shared_ptr<TextWriter> writer) : writer_{std::move(writer)} {}

  void submit(std::vector<Write<Key, Value>> writes, Begin begin, Done done) override {
    std::vector<Result<Stored<Value>>> outcomes;  // one by one: a Value need not be copyable
    for (std::size_t i = 0; i < writes.size(); ++i) outcomes.emplace_back();
    submit_turned(*writer_, writes, &turn, std::move(begin), std::move(done), std::move(outcomes));
  }
  [[nodiscard]] std::string describe() const override { return writer_->describe(); }
  [[nodiscard]] bool removes() const override { return writer_->removes(); }
  [[nodiscard]] std::size_t most_writes() const override { return writer_->most_writes(); }

 private:
  static Result<Write<std::string, std::string>> turn(const Write<Key, Value>& write) {
    Result<std::string> key = to_text(write.key);
    if (!key) return std::unexpected{std::move(key.error())};
    Write<std::string, std::string> turned{std::move(*key), std::nullopt};
    if (!write.value) return turned;
    Result<std::string> value = to_text(*write.value);
    if (!value) return std::unexpected{std::move(value.error())};
    turned.value = std::move(*value);
    return turned;
  }

  const std::shared_ptr<TextWriter> writer_;
};

}  // namespace larder::detail
