// A disk that takes its time: preloaded, it lets every sync wait LARDER_SYNC_US microseconds
// more. A virtual machine's disk often answers from its host's memory, and what programs make of
// a sync that costs something is then not to be seen.
//
// Threads: any.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>

namespace {

void wait() {
  static const char* const text = std::getenv("LARDER_SYNC_US");
  static const auto microseconds =
      static_cast<useconds_t>(text == nullptr ? 0 : std::strtoul(text, nullptr, 10));
  ::usleep(microseconds);
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int fsync(int file) {
  static auto* const sync = real<int(int)>("fsync");
  const int result = sync(file);
  wait();
  return result;
}

extern "C" int fdatasync(int file) {
  static auto* const sync = real<int(int)>("fdatasync");
  const int result = sync(file);
  wait();
  return result;
}
