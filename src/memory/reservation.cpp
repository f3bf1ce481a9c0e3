#include "larder/detail/memory/reservation.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

namespace larder::detail {

namespace {

std::size_t page_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

std::size_t whole(std::size_t page, std::size_t bytes) { return (bytes + page - 1) / page * page; }

}  // namespace

// The last huge page is there as a whole, and so is the way to the first.
Reservation::Reservation(std::size_t bytes, Pages pages)
    : size_{whole(page_size(), bytes)}, mapped_size_{whole(kHugePage, size_) + kHugePage} {
  void* const range = mmap(nullptr, mapped_size_, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) throw std::bad_alloc{};
  mapped_ = static_cast<char*>(range);
  const auto address = reinterpret_cast<std::uintptr_t>(mapped_);
  data_ = mapped_ + (kHugePage - address % kHugePage) % kHugePage;
  // Best effort: a system that cannot has no huge pages.
  if (pages == Pages::kSmall) (void)madvise(mapped_, mapped_size_, MADV_NOHUGEPAGE);
}

Reservation::~Reservation() { munmap(mapped_, mapped_size_); }

void Reservation::merge_pages(std::size_t from, std::size_t to) {
  constexpr int kCollapse = 25;  // MADV_COLLAPSE, Linux 6.1
  (void)madvise(data_ + from, to - from, kCollapse);
}

void Reservation::give_back(std::size_t from, std::size_t to) {
  const std::size_t page = page_size();
  from = whole(page, from);
  to = to / page * page;
  // Best effort: on failure the pages stay, and are used again later.
  if (from < to) (void)madvise(data_ + from, to - from, MADV_DONTNEED);
}

}  // namespace larder::detail
