#include "larder/load_gate.hpp"

#include <cassert>
#include <stdexcept>
#include <utility>

namespace larder {

LoadTurns::Verdict LoadTurns::enter() {
  // Who comes while others wait goes behind them, even if a place is free.
  if (going_ < concurrent_ && queued_ == 0) {
    ++going_;
    return Verdict::kGo;
  }
  if (queued_ >= waiting_) return Verdict::kRefuse;
  ++queued_;
  return Verdict::kWait;
}

void LoadTurns::leave() {
  assert(going_ > 0);
  --going_;
}

bool LoadTurns::next() {
  if (queued_ == 0 || going_ >= concurrent_) return false;
  --queued_;
  ++going_;
  return true;
}

void LoadTurns::withdraw() {
  assert(queued_ > 0);
  --queued_;
}

LoadGate::Permit::~Permit() {
  if (!gate_) return;
  fleet_.reset();
  gate_->leave();
}

LoadGate::LoadGate(LoadLimits limits, std::shared_ptr<FleetGate> fleet)
    : limits_{limits}, fleet_{std::move(fleet)}, turns_{limits.concurrent, limits.waiting} {
  if (limits.concurrent == 0) {
    throw std::invalid_argument{"LoadLimits: concurrent is 0, so nothing could ever load"};
  }
  if (limits.timeout <= Duration::zero()) {
    throw std::invalid_argument{"LoadLimits: timeout must be longer than 0"};
  }
  if (limits.wait_timeout <= Duration::zero()) {
    throw std::invalid_argument{"LoadLimits: wait_timeout must be longer than 0"};
  }
}

std::optional<LoadGate::Ticket> LoadGate::enter(Work work) {
  Ticket ticket = 0;
  {
    const MutexLock lock{mutex_};
    ticket = next_++;
    switch (turns_.enter()) {
      case LoadTurns::Verdict::kGo: break;
      case LoadTurns::Verdict::kWait: queue_.emplace(ticket, std::move(work)); return ticket;
      case LoadTurns::Verdict::kRefuse: return std::nullopt;
    }
  }
  begin(std::move(work));
  return ticket;
}

// It has a turn here.
void LoadGate::begin(Work work) {
  Permit permit{shared_from_this()};
  if (!fleet_) return work(std::move(permit));
  fleet_->enter(
      [work = std::move(work), permit = std::move(permit)](FleetGate::Permit fleet) mutable {
        permit.fleet_ = std::move(fleet);
        work(std::move(permit));
      });
}

void LoadGate::withdraw(Ticket ticket) {
  decltype(queue_)::node_type dropped;  // what it holds is let go of outside the lock
  const MutexLock lock{mutex_};
  dropped = queue_.extract(ticket);
  if (dropped) turns_.withdraw();
}

void LoadGate::leave() {
  const auto self = shared_from_this();
  {
    const MutexLock lock{mutex_};
    turns_.leave();
    if (handing_out_) return;
    handing_out_ = true;
  }
  for (;;) {
    Work work;
    {
      const MutexLock lock{mutex_};
      if (!turns_.next()) {
        handing_out_ = false;
        return;
      }
      work = std::move(queue_.extract(queue_.begin()).mapped());
    }
    begin(std::move(work));
  }
}

unsigned LoadGate::going() const {
  const MutexLock lock{mutex_};
  return turns_.going();
}

unsigned LoadGate::queued() const {
  const MutexLock lock{mutex_};
  return turns_.queued();
}

}  // namespace larder
