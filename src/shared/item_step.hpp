// Carries one step of the lease protocol out on an item of Memcached: reads it, has it
// decided what becomes of it, and changes it if it is still the same; else begins again.
//
// All of a step goes over one connection: a CAS is worth nothing to another run of the
// server. It has one deadline, by the timers it is given, after which none of its commands begins.
//
// Threads: any. Keeps itself alive until it is done.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "larder/clock.hpp"
#include "larder/error.hpp"
#include "larder/timers.hpp"
#include "memcached/client.hpp"
#include "shared/item.hpp"

namespace larder::shared {

class ItemStep : public std::enable_shared_from_this<ItemStep> {
 public:
  // What becomes of a change that the server refuses to store, as a full one does. By then it has
  // taken away the item that it was to replace, whatever that was.
  enum class Refused : std::uint8_t {
    kEnds,         // with the server's error
    kInvalidates,  // what may have been stored since
    kTriesAgain,   // once: what is small often finds room then
  };
  struct Terms {
    std::uint64_t connection = 0;
    std::shared_ptr<const Timers> timers{};  // that count its patience
    Duration patience{};  // until its last command, which has the client's own time
    Refused refused = Refused::kEnds;
  };
  // Called once or more often, on the client's I/O thread: what the item is to become.
  using Decide = std::function<Change(const Item&)>;
  // The change that was carried out; kNone: none was called for. Errors: the client's,
  // kRejected with what the server says, kTimeout, and kOverloaded where others were always
  // quicker. Then the change may have been carried out all the same.
  using Done = std::move_only_function<void(Result<Change::Kind>)>;

  // None: `done` will be called, once, never inside this call. An error: it will not.
  // REQUIRES: terms with timers.
  [[nodiscard]] static std::optional<Error> carry_out(std::shared_ptr<memcached::Client> client,
                                                      Terms terms, std::string key, Decide decide,
                                                      Done done);

  ItemStep(const ItemStep&) = delete;
  ItemStep& operator=(const ItemStep&) = delete;

 private:
  using Write = std::function<void(memcached::MetaWriter&)>;

  ItemStep(std::shared_ptr<memcached::Client> client, Terms terms, std::string key, Decide decide,
           Done done)
      : client_{std::move(client)},
        terms_{std::move(terms)},
        deadline_{terms_.timers->now() + terms_.patience},
        key_{std::move(key)},
        decide_{std::move(decide)},
        done_{std::move(done)} {}

  [[nodiscard]] std::optional<Error> submit(const Write& write,
                                            void (ItemStep::*then)(Result<memcached::Replies>));
  [[nodiscard]] std::optional<Error> look();
  void looked(Result<memcached::Replies> replies);
  void change(const Item& item);
  void changed(Result<memcached::Replies> replies);
  void end(Result<Change::Kind> outcome);

  const std::shared_ptr<memcached::Client> client_;
  const Terms terms_;
  const TimePoint deadline_;
  const std::string key_;
  const Decide decide_;
  Done done_;
  Change change_{};
  unsigned tries_ = 0;
  bool refused_ = false;  // once
};

}  // namespace larder::shared
