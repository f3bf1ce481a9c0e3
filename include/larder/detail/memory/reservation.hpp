// A range of addresses whose memory comes, zeroed, as it is first touched.
//
// Threads: what guards its owner. Owns the range.
#pragma once

#include <cstddef>
#include <cstdint>

namespace larder::detail {

class Reservation {
 public:
  // Which pages the system may give. Where it gives huge ones unasked, the first byte would
  // cost 2 MiB: kSmall is for what stays far below that.
  enum class Pages : std::uint8_t { kAny, kSmall };
  // Throws std::bad_alloc if there are no such addresses.
  explicit Reservation(std::size_t bytes, Pages pages = Pages::kAny);
  ~Reservation();
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  [[nodiscard]] char* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // Makes huge pages of what lies in [from, to), which was touched, where the
  // system has them: a miss in the processor's caches is then not one in its
  // address translation too. Huge pages are aligned to kHugePage in the range.
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;
  void merge_pages(std::size_t from, std::size_t to);

  // Gives the whole pages within [from, to) back to the system; they read as zero again.
  void give_back(std::size_t from, std::size_t to);

 private:
  std::size_t size_;
  std::size_t mapped_size_;
  char* mapped_;  // from where the system gave addresses: data_ is the next huge page
  char* data_;
};

}  // namespace larder::detail
