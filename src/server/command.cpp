#include "server/command.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "base/ascii_case.hpp"
#include "server/commands/table.hpp"

namespace larder {

namespace {

using commands::kCommands;

// The commands, then the subcommands of each.
consteval std::size_t count_all() {
  std::size_t count = kCommands.size();
  for (const Command& each : kCommands) count += each.subcommands.size();
  return count;
}
static_assert(count_all() <= kMostCounted);

struct Counted {
  std::array<const Command*, count_all()> all{};
  std::array<std::size_t, kCommands.size()> first_subcommand{};  // by the command's index

  consteval Counted() {
    std::size_t next = kCommands.size();
    for (std::size_t i = 0; i < kCommands.size(); ++i) {
      all[i] = &kCommands[i];
      first_subcommand[i] = next;
      for (const Command& sub : kCommands[i].subcommands) all[next++] = &sub;
    }
  }
};
constexpr Counted kCounted;

// A perfect hash of the names: some of their bytes, multiplied by a number that
// the compiler finds such that no two names meet.
class NameTable {
 public:
  static constexpr int kBits = 10;
  static constexpr std::uint8_t kEmpty = 0xFF;

  consteval NameTable() {
    do {
      multiplier_ = multiplier_ * 6364136223846793005U + 1442695040888963407U;
    } while (!fits());
  }

  [[nodiscard]] constexpr std::uint8_t find(std::string_view name) const {
    return slots_[slot(name)];
  }

 private:
  // REQUIRES: at least one byte.
  [[nodiscard]] constexpr std::size_t slot(std::string_view name) const {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::uint64_t>(static_cast<unsigned char>(name[i]) | 0x20U);
    };
    const std::size_t last = name.size() - 1;
    const std::uint64_t bytes = byte(0) | byte(last) << 8 | byte(last / 2) << 16 |
                                byte(last > 0 ? 1 : 0) << 24 | byte(last > 0 ? last - 1 : 0) << 32 |
                                static_cast<std::uint64_t>(name.size()) << 40;
    return (bytes * (multiplier_ | 1)) >> (64 - kBits);
  }

  consteval bool fits() {
    slots_.fill(kEmpty);
    for (std::size_t i = 0; i < kCommands.size(); ++i) {
      std::uint8_t& mine = slots_[slot(kCommands[i].name)];
      if (mine != kEmpty) return false;
      mine = static_cast<std::uint8_t>(i);
    }
    return true;
  }

  std::uint64_t multiplier_ = 0x9E3779B97F4A7C15U;
  std::array<std::uint8_t, std::size_t{1} << kBits> slots_{};
};

constexpr NameTable kNames;

}  // namespace

std::span<const Command> all_commands() { return kCommands; }

std::span<const Command* const> counted_commands() { return kCounted.all; }

std::size_t index_of(const Command& command) {
  return static_cast<std::size_t>(&command - kCommands.data());
}

std::size_t counted_as(const Command& command, Arguments words) {
  const std::size_t index = index_of(command);
  if (command.subcommands.empty() || words.size() < 2) [[likely]]
    return index;
  const Command* const sub = find_subcommand(command, words[1]);
  if (sub == nullptr) return index;
  return kCounted.first_subcommand[index] +
         static_cast<std::size_t>(sub - command.subcommands.data());
}

bool same_word(std::string_view a, std::string_view b) { return same_but_case(a, b); }

const Command* find_command(std::string_view name) {
  if (name.empty()) return nullptr;
  const std::uint8_t index = kNames.find(name);
  if (index == NameTable::kEmpty || !same_word(kCommands[index].name, name)) return nullptr;
  return &kCommands[index];
}

const Command* find_subcommand(const Command& command, std::string_view name) {
  for (const Command& sub : command.subcommands) {
    if (same_word(sub.name.substr(command.name.size() + 1), name)) return &sub;
  }
  return nullptr;
}

namespace {

// What a message shows of a word: up to its first NUL, as in Redis.
std::string_view shown(std::string_view word, std::size_t most) {
  return word.substr(0, std::min(most, word.find('\0')));
}

}  // namespace

std::string unknown_command(Arguments words) {
  constexpr std::size_t kLongest = 128;  // bytes of the name, and of the arguments together
  std::string text{"ERR unknown command '"};
  text += shown(words[0], kLongest);
  text += "', with args beginning with: ";
  std::string arguments;
  for (const std::string_view word : words.subspan(1)) {
    if (arguments.size() >= kLongest) break;
    const std::string_view some = shown(word, kLongest - arguments.size());
    arguments += '\'';
    arguments += some;
    arguments += "' ";
  }
  return text + arguments;
}

std::string unknown_subcommand(const Command& command, std::string_view name) {
  std::string upper{command.name};
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  std::string text{"ERR unknown subcommand '"};
  text += shown(name, 128);
  return text + "'. Try " + upper + " HELP.";
}

}  // namespace larder
