// What has work on a runtime's threads, and ends it before they do.
#pragma once

namespace larder {

class Closable {
 public:
  virtual ~Closable() = default;

  // Ends what is under way, with kCancelled, and refuses what comes later.
  // Idempotent. Threads: any; called under no lock.
  virtual void close() = 0;
};

}  // namespace larder
