#include "memcached/handshake.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "base/utf8.hpp"
#include "memcached/meta_writer.hpp"

namespace larder::memcached {
namespace {

// An older one has no meta commands, or others: ms took its size as a flag, and md no CAS.
constexpr std::array<unsigned, 3> kOldest{1, 6, 10};

// Of "1.6.18": two numbers at least, and what is no number ends it.
bool new_enough(std::string_view version) {
  std::array<unsigned, 3> numbers{};
  std::size_t known = 0;
  const char* at = version.data();
  const char* const end = at + version.size();
  while (known < numbers.size()) {
    const auto [stopped, problem] = std::from_chars(at, end, numbers[known]);
    if (problem != std::errc{}) break;
    ++known;
    if (stopped == end || *stopped != '.') break;
    at = stopped + 1;
  }
  return known >= 2 && numbers >= kOldest;
}

}  // namespace

void Handshake::write(resp::OutputBuffer& output) {
  MetaWriter write{output};
  write.version();
  write.settings();
}

Handshake::Step Handshake::take(const MetaReply& reply) {
  using Kind = MetaReply::Kind;
  if (reply.is_error()) return refuse("refuses a command: " + printable(reply.text));
  if (session_.version.empty()) {
    if (reply.kind != Kind::kVersion || reply.text.empty())
      return refuse("does not tell its version");
    session_.version = printable(reply.text, 40);
    if (!new_enough(reply.text)) {
      return refuse(
          "is memcached " + session_.version +
          ", whose meta commands are not yet what they became; larder needs 1.6.10 or later");
    }
    return Step::kWait;
  }
  if (reply.kind == Kind::kStat) {
    take_setting(reply.text);
    return Step::kWait;
  }
  if (reply.kind != Kind::kEnd) return refuse("does not tell its settings");
  if (!cas_)
    return refuse("runs without CAS (-C), by which larder tells copies apart; start it with");
  if (session_.largest_item == 0) return refuse("does not tell how large an item may be");
  return Step::kDone;
}

void Handshake::take_setting(std::string_view setting) {
  const std::size_t space = setting.find(' ');
  if (space == std::string_view::npos) return;
  const std::string_view value = setting.substr(space + 1);
  if (setting.substr(0, space) == "cas_enabled") cas_ = value != "no";
  if (setting.substr(0, space) == "item_size_max") {
    std::from_chars(value.data(), value.data() + value.size(), session_.largest_item);
  }
}

Handshake::Step Handshake::refuse(std::string why) {
  error_ = {Errc::kSourceFailed, place_ + " " + std::move(why)};
  return Step::kFailed;
}

}  // namespace larder::memcached
