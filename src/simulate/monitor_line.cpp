#include "simulate/monitor_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace larder::simulate {

namespace {

struct ReadCommand {
  std::string_view name;
  bool many = false;  // all its arguments are keys; else the first is
};

constexpr std::array kReads{
    ReadCommand{"GET"},    ReadCommand{"MGET", true}, ReadCommand{"GETEX"}, ReadCommand{"GETRANGE"},
    ReadCommand{"SUBSTR"}, ReadCommand{"HGET"},       ReadCommand{"HMGET"}, ReadCommand{"HGETALL"},
};

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char left, char right) {
    return (left >= 'a' && left <= 'z' ? left - 'a' + 'A' : left) == right;
  });
}

// Takes the next quoted word off `rest`; nullopt: there is none, or it has no end.
std::optional<std::string_view> take_word(std::string_view& rest) {
  const std::size_t open = rest.find_first_not_of(' ');
  if (open == std::string_view::npos || rest[open] != '"') return std::nullopt;
  for (std::size_t at = open + 1; at < rest.size(); ++at) {
    if (rest[at] == '\\') {
      ++at;  // what follows is a part of the word, whatever it is
    } else if (rest[at] == '"') {
      const std::string_view word = rest.substr(open + 1, at - open - 1);
      rest.remove_prefix(at + 1);
      return word;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<MonitorLine> parse_monitor_line(std::string_view line) {
  if (line.starts_with('+')) line.remove_prefix(1);  // as it comes from the server itself
  MonitorLine result;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), result.time);
  if (error != std::errc{}) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (!line.starts_with(" [")) return std::nullopt;
  const std::size_t client = line.find("] \"");  // an address may hold brackets itself
  if (client == std::string_view::npos) return std::nullopt;
  line.remove_prefix(client + 1);

  const auto name = take_word(line);
  if (!name) return std::nullopt;
  const auto* const read =
      std::ranges::find_if(kReads, [&](const auto& each) { return same_name(*name, each.name); });
  if (read == kReads.end()) return result;
  while (const auto key = take_word(line)) {
    result.keys.push_back(*key);
    if (!read->many) break;
  }
  return result;
}

}  // namespace larder::simulate
