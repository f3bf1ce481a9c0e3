// A source whose loads a test ends by hand.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "larder/source.hpp"

namespace larder::test {

class HandSource final : public Source<std::string, std::string> {
 public:
  void load(std::vector<std::string> keys, Done done) override {
    loads_.push_back({std::move(keys), std::move(done)});
  }
  [[nodiscard]] std::string describe() const override { return describes; }
  [[nodiscard]] bool answers_in_parts() const override { return true; }

  std::string describes = "by hand";

  // The keys of each load that was asked for, in order, ended or not.
  [[nodiscard]] std::vector<std::vector<std::string>> asked() const {
    std::vector<std::vector<std::string>> all;
    for (const Load& load : loads_) all.push_back(load.keys);
    return all;
  }

  // Drops the loads that nobody ended, and with them what waits for them; and so on
  // with those that take their places.
  void forget() {
    while (!loads_.empty()) {
      const auto lost = std::exchange(loads_, {});
    }
  }

  // Ends a load: each key's value is "<key>".
  void succeed(std::size_t load) {
    std::vector<Loaded<std::string>> results;
    for (const std::string& key : loads_[load].keys) results.emplace_back("<" + key + ">");
    take(load)(std::move(results));
  }
  // The same value for each key; or for the first `count` of them, and the rest is asked
  // for again.
  void succeed_first(std::size_t load, std::size_t count, const std::string& value) {
    take(load)(std::vector<Loaded<std::string>>(count, value));
  }
  void succeed_with(std::size_t load, const std::string& value) {
    take(load)(std::vector<Loaded<std::string>>(loads_[load].keys.size(), value));
  }
  // Values by the key, for its first `count` keys.
  template <class ValueOf>
  void end_with(std::size_t load, std::size_t count, ValueOf&& value_of) {
    std::vector<Loaded<std::string>> results;
    for (std::size_t i = 0; i < count; ++i) results.emplace_back(value_of(loads_[load].keys[i]));
    take(load)(std::move(results));
  }
  // There are no such rows.
  void find_nothing(std::size_t load) {
    take(load)(std::vector<Loaded<std::string>>(loads_[load].keys.size(), std::nullopt));
  }
  void fail(std::size_t load, const std::string& message) {
    take(load)(std::vector<Loaded<std::string>>(
        loads_[load].keys.size(), std::unexpected{Error{Errc::kSourceFailed, message}}));
  }

 private:
  // A load's end may bring another, which moves those that are here.
  Done take(std::size_t load) { return std::exchange(loads_[load].done, {}); }

  struct Load {
    std::vector<std::string> keys;
    Done done;
  };
  std::vector<Load> loads_;
};

}  // namespace larder::test
