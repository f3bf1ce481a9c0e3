#include "shared/announcements.hpp"

#include <utility>

namespace larder::shared {

namespace {

// The stream's entries in a reply to XREAD: an array of pairs in RESP2, a map in RESP3.
const resp::Reply* entries_in(const resp::Reply& read) {
  if (read.items.empty()) return nullptr;
  if (read.kind == resp::Reply::Kind::kMap)
    return read.items.size() == 2 ? &read.items[1] : nullptr;
  return read.items[0].items.size() == 2 ? &read.items[0].items[1] : nullptr;
}

}  // namespace

std::string announcement_message(std::string_view own, std::string_view cache,
                                 std::optional<std::string_view> key) {
  std::string message{own};
  message += cache;
  if (key) (message += ':') += *key;
  return message;
}

std::optional<Announcement> announcement_in(std::string_view message, std::string_view own) {
  constexpr std::size_t kOwn = 16;
  if (message.size() <= kOwn || message.starts_with(own)) return std::nullopt;
  message.remove_prefix(kOwn);
  const std::size_t colon = message.find(':');
  Announcement announcement{.cache = std::string{message.substr(0, colon)}, .key = std::nullopt};
  if (colon != std::string_view::npos) announcement.key = message.substr(colon + 1);
  return announcement;
}

void Announcements::write_hello(resp::RequestWriter& write) const {
  write.command({"XADD", stream_, "MAXLEN", "~", kKept, "*", "o", own_});
}

bool Announcements::take_hello(const resp::Reply& reply) {
  if (reply.kind != resp::Reply::Kind::kBulk || reply.text.empty()) return false;
  last_ = reply.text;
  return true;
}

void Announcements::write_read(resp::RequestWriter& write, Duration block) const {
  const std::string wait =
      std::to_string(std::chrono::ceil<std::chrono::milliseconds>(block).count());
  write.command({"XRANGE", stream_, last_, last_});
  write.command(
      {"XREAD", "COUNT", std::to_string(kAtOnce), "BLOCK", wait, "STREAMS", stream_, last_});
}

std::optional<Announcements::Read> Announcements::take_read(const resp::Reply& last,
                                                            const resp::Reply& read) {
  if (last.items.empty() || read.is_error()) {
    forget_place();
    return std::nullopt;
  }
  Read brought;
  const resp::Reply* const entries = entries_in(read);
  if (entries == nullptr) return brought;
  brought.all = entries->items.size() < kAtOnce;
  for (const resp::Reply& entry : entries->items) {
    if (entry.items.size() != 2) continue;
    last_ = entry.items[0].text;
    Announcement announcement;
    std::string_view from;
    const std::vector<resp::Reply>& fields = entry.items[1].items;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
      if (fields[i].text == "o") from = fields[i + 1].text;
      if (fields[i].text == "c") announcement.cache = fields[i + 1].text;
      if (fields[i].text == "k") announcement.key = fields[i + 1].text;
    }
    if (from == own_ || announcement.cache.empty()) continue;
    brought.announced.push_back(std::move(announcement));
  }
  return brought;
}

}  // namespace larder::shared
