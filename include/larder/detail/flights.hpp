// The flights of one cache: which keys are being loaded, and who waits for each.
//
// A reader of a missing key boards the key's flight; the first one makes it
// start. When the load has ended the flight lands: it tells who waited, and
// whether its value may still be filled. An invalidation dooms the flight:
// those on board get its answer, it fills nothing, and who comes later boards a
// new one. So the identity of the flight is the key's epoch of design.md
// section 5: a fill is allowed only while the flight that began it is still the
// key's own.
//
// A reader who wants what is true *now* (`anew`) may not join a load that has
// already begun. It waits for the flight after it, with all who want the same,
// so that any number of them costs one more load.
//
// Pure logic: no clock, no thread, no I/O. Waiter is whatever names a waiting
// reader.
//
// Threads: none; guard each table with a lock, under which the tier is filled
// and erased too (that makes "still the key's own" and the fill one step).
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "larder/clock.hpp"
#include "larder/load_on_way.hpp"
#include "larder/shared_copies.hpp"

namespace larder::detail {

template <class Key, class Waiter, class Hash, class Equal>
class Flights {
 public:
  // Guarded like the table, but for `key`, which never changes.
  class Flight {
   public:
    Flight(Key key, std::optional<Duration> ttl) : key_{std::move(key)}, ttl_{ttl} {}

    [[nodiscard]] const Key& key() const { return key_; }
    // What the reader who made it start asked for, instead of the cache's own.
    [[nodiscard]] std::optional<Duration> ttl() const { return ttl_; }
    // When its load began to read. REQUIRES: it has taken off.
    [[nodiscard]] TimePoint began() const { return *began_; }
    // Whether somebody on board wants what is true now, so that no copy will do.
    [[nodiscard]] bool anew() const { return for_anew_; }

    // Somebody writes its key: it fills nothing.
    void found_written() { beside_a_write_ = true; }

    // The shared tier's leave to fill it; empty when there is none, or it was taken.
    void hold(SharedLease lease) { lease_ = std::move(lease); }
    [[nodiscard]] SharedLease take_lease() { return std::exchange(lease_, {}); }

   private:
    friend class Flights;

    const Key key_;
    const std::optional<Duration> ttl_;
    std::optional<TimePoint> began_{};  // none: it waits for its turn at the source
    bool for_anew_ = false;
    bool doomed_ = false;
    bool beside_a_write_ = false;
    bool landed_ = false;
    SharedLease lease_;
    std::vector<Waiter> waiters_;  // get this flight's answer
    std::vector<Waiter> anew_;     // get the answer of the one after it
  };
  using FlightPtr = std::shared_ptr<Flight>;

  struct Boarding {
    FlightPtr flight;
    bool start = false;  // it is new: the caller brings it to the source
  };

  struct Landing {
    std::vector<Waiter> waiters;
    bool may_fill = false;
    FlightPtr next;  // not null: readers wanted it anew; the caller starts it
  };

  // A reader wants `key`. `ttl` matters only if this starts a flight.
  template <class KeyLike>
  Boarding board(const KeyLike& key, Waiter waiter, bool anew, std::optional<Duration> ttl) {
    const auto found = flights_.find(key);
    if (found == flights_.end()) {
      auto flight = std::make_shared<Flight>(Key{key}, ttl);
      flight->for_anew_ = anew;
      flight->waiters_.push_back(std::move(waiter));
      flights_.emplace(flight->key_, flight);
      return {std::move(flight), true};
    }
    Flight& flight = *found->second;
    if (anew && !flight.began_) flight.for_anew_ = true;
    (anew && flight.began_ ? flight.anew_ : flight.waiters_).push_back(std::move(waiter));
    return {found->second, false};
  }

  // It begins to read: a shared tier is asked, or its turn at the source has come (or one
  // after the other; or the source's turn again, when it left the key for another load).
  // `written`: somebody writes the key, so that it will fill nothing. False: nobody waits
  // for it any more, and it is gone; the caller loads nothing.
  [[nodiscard]] bool take_off(const FlightPtr& flight, TimePoint now, bool written = false) {
    // What it reads from now on is new enough for those who came while it read before.
    if (flight->waiters_.empty()) flight->waiters_.swap(flight->anew_);
    if (flight->waiters_.empty()) {
      remove(*flight);
      flight->landed_ = true;
      return false;
    }
    flight->began_ = now;
    if (written) flight->beside_a_write_ = true;
    return true;
  }

  // Its load has ended, or never will. Landing twice is allowed, and the second
  // time finds nobody: a load may end after it was given up.
  [[nodiscard]] Landing land(const FlightPtr& flight) {
    if (flight->landed_) return {};
    flight->landed_ = true;
    if (!flight->doomed_) remove(*flight);

    const bool may_fill = !flight->doomed_ && !flight->beside_a_write_ && !retired_;
    Landing landing{std::move(flight->waiters_), may_fill, nullptr};
    landing.next = follow(*flight);
    return landing;
  }

  // The truth of `key` has changed, so what is on its way may be older. A flight
  // that has not taken off will read the new truth and is left alone.
  template <class KeyLike>
  void doom(const KeyLike& key) {
    const auto found = flights_.find(key);
    if (found == flights_.end() || !found->second->began_) return;
    found->second->doomed_ = true;
    flights_.erase(found);
  }
  void doom_all() {
    boost::unordered::erase_if(flights_, [](auto& entry) {
      Flight& flight = *entry.second;
      flight.doomed_ = flight.began_.has_value();
      return flight.doomed_;
    });
  }

  // No flight may fill any more, whenever it began.
  void retire() { retired_ = true; }
  [[nodiscard]] bool retired() const { return retired_; }

  // A reader waits no longer; the others do not notice. The waiters for which
  // `gone` holds leave the flight.
  template <class Predicate>
  void abandon(const FlightPtr& flight, Predicate gone) {
    std::erase_if(flight->waiters_, gone);
    std::erase_if(flight->anew_, gone);
  }

  // The load of `key` that is on its way, if one is.
  template <class KeyLike>
  [[nodiscard]] std::optional<LoadOnWay> find(const KeyLike& key) const {
    const auto found = flights_.find(key);
    if (found == flights_.end()) return std::nullopt;
    return LoadOnWay{.began = found->second->began_};
  }
  [[nodiscard]] std::size_t size() const { return flights_.size(); }

 private:
  void remove(const Flight& flight) {
    const auto found = flights_.find(flight.key_);
    if (found != flights_.end() && found->second.get() == &flight) flights_.erase(found);
  }

  // Those who wanted `before` anew board the flight after it: the key's own, if
  // it was doomed and another has begun since (later than they asked), or a new one.
  FlightPtr follow(Flight& before) {
    if (before.anew_.empty()) return nullptr;
    auto waiters = std::move(before.anew_);
    if (const auto found = flights_.find(before.key_); found != flights_.end()) {
      auto& on_board = found->second->waiters_;
      on_board.insert(on_board.end(), std::make_move_iterator(waiters.begin()),
                      std::make_move_iterator(waiters.end()));
      return nullptr;
    }
    auto flight = std::make_shared<Flight>(before.key_, before.ttl_);
    flight->for_anew_ = true;
    flight->waiters_ = std::move(waiters);
    flights_.emplace(flight->key_, flight);
    return flight;
  }

  boost::unordered_flat_map<Key, FlightPtr, Hash, Equal> flights_;  // the keys' own: not doomed
  bool retired_ = false;
};

}  // namespace larder::detail
