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
    loads_[load].done(std::move(results));
  }
  // The same value for each key.
  void succeed_with(std::size_t load, const std::string& value) {
    loads_[load].done(std::vector<Loaded<std::string>>(loads_[load].keys.size(), value));
  }
  // There are no such rows.
  void find_nothing(std::size_t load) {
    loads_[load].done(std::vector<Loaded<std::string>>(loads_[load].keys.size(), std::nullopt));
  }
  void fail(std::size_t load, const std::string& message) {
    loads_[load].done(std::vector<Loaded<std::string>>(
        loads_[load].keys.size(), std::unexpected{Error{Errc::kSourceFailed, message}}));
  }

 private:
  struct Load {
    std::vector<std::string> keys;
    Done done;
  };
  std::vector<Load> loads_;
};

}  // namespace larder::test
