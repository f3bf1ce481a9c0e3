#include "resp/reference_decoder.hpp"

#include <cctype>
#include <cstdlib>
#include <memory>
#include <optional>

namespace larder::resp {
namespace {

struct Broken {
  std::string message;
};

// Thrown where the bytes end before the command does.
struct Cut {};

class Reference {
 public:
  Reference(std::string_view bytes, const CommandLimits& limits) : bytes_{bytes}, limits_{limits} {}

  Decoded run() {
    Decoded decoded;
    try {
      for (;;) {
        const Command command = next();
        decoded.consumed = at_;
        if (!command.empty()) decoded.commands.push_back(command);
      }
    } catch (const Cut&) {
    } catch (const Broken& broken) {
      decoded.error = "Protocol error: " + broken.message;
    }
    return decoded;
  }

 private:
  Command next() { return peek() == '*' ? array() : inline_text(); }

  Command array() {
    const std::size_t begin = at_;
    ++at_;
    const long long count = number("invalid multibulk length");
    if (count > 0 && static_cast<unsigned long long>(count) > limits_.max_arguments) {
      throw too_many(static_cast<unsigned long long>(count));
    }
    Command command;
    for (long long i = 0; i < count; ++i) {
      if (peek() != '$') throw Broken{std::string{"expected '$', got '"} + peek() + "'"};
      ++at_;
      const long long size = number("invalid bulk length");
      if (size < 0) throw Broken{"invalid bulk length"};
      const auto length = static_cast<unsigned long long>(size);
      if (length > limits_.max_argument.bytes) {
        throw Broken{"invalid bulk length: " + std::to_string(length) + " bytes, the limit is " +
                     std::to_string(limits_.max_argument.bytes)};
      }
      if (at_ - begin + length + 2 > limits_.max_request.bytes) {
        throw Broken{"too big request: " + std::to_string(at_ - begin + length + 2) +
                     " bytes or more, the limit is " + std::to_string(limits_.max_request.bytes)};
      }
      std::string argument;
      for (unsigned long long n = 0; n < length; ++n) argument += take();
      std::string line_end;
      line_end += take();
      line_end += take();
      if (line_end != "\r\n") {
        throw Broken{"expected CRLF after an argument of " + std::to_string(length) + " bytes"};
      }
      command.push_back(argument);
    }
    return command;
  }

  // A decimal and its CRLF. Damage is told from truncation byte by byte.
  long long number(const std::string& complaint) {
    std::string text;
    if (peek() == '-') text += take();
    while (std::isdigit(static_cast<unsigned char>(peek_or('\r'))) != 0) {
      text += take();
      const std::string digits = text.starts_with('-') ? text.substr(1) : text;
      if (digits.size() > 18) throw Broken{complaint};
      if (text.size() > 1 && (text.starts_with("0") || text.starts_with("-0"))) {
        throw Broken{complaint};
      }
    }
    if (peek() != '\r' || text.empty() || text == "-") throw Broken{complaint};
    take();
    if (take() != '\n') throw Broken{complaint};
    return std::atoll(text.c_str());
  }

  Command inline_text() {
    const auto limit = std::min(limits_.max_inline.bytes, limits_.max_request.bytes);
    std::string line;
    std::optional<Cut> cut;
    try {
      while (peek() != '\n') line += take();
      take();
    } catch (const Cut& end) {
      cut = end;
    }
    if (line.ends_with('\r')) line.pop_back();
    if (line.size() > limit) {
      throw Broken{"too big inline request: the limit is " + std::to_string(limit) + " bytes"};
    }
    if (cut) throw *cut;
    const std::optional<Command> command = reference_split(line);
    if (!command) throw Broken{"unbalanced quotes in request"};
    if (command->size() > limits_.max_arguments) throw too_many(command->size());
    return *command;
  }

  [[nodiscard]] Broken too_many(unsigned long long count) const {
    return Broken{"invalid multibulk length: " + std::to_string(count) +
                  " arguments, the limit is " + std::to_string(limits_.max_arguments)};
  }

  [[nodiscard]] char peek() const {
    if (at_ == bytes_.size()) throw Cut{};
    return bytes_[at_];
  }
  [[nodiscard]] char peek_or(char otherwise) const {
    return at_ == bytes_.size() ? otherwise : bytes_[at_];
  }
  char take() {
    const char byte = peek();
    ++at_;
    return byte;
  }

  std::string_view bytes_;
  const CommandLimits& limits_;
  std::size_t at_ = 0;
};

}  // namespace

// sdssplitargs(), read closely: `c` is NUL past the end, and the end is known.
std::optional<Command> reference_split(std::string_view line) {
  Command command;
  std::size_t i = 0;
  const auto c = [&](std::size_t ahead) {
    return i + ahead < line.size() ? line[i + ahead] : '\0';
  };
  const auto end = [&](std::size_t ahead = 0) { return i + ahead >= line.size(); };
  const auto space = [](char x) { return std::isspace(static_cast<unsigned char>(x)) != 0; };
  const auto hex = [](char x) { return std::isxdigit(static_cast<unsigned char>(x)) != 0; };
  for (;;) {
    while (!end() && space(c(0))) ++i;
    if (end()) return command;
    std::string current;
    char quote = 0;
    for (bool done = false; !done; ++i) {
      if (quote != 0 && end()) return std::nullopt;
      if (quote == '"' && c(0) == '\\' && c(1) == 'x' && hex(c(2)) && hex(c(3))) {
        current +=
            static_cast<char>(std::strtol(std::string{line.substr(i + 2, 2)}.c_str(), nullptr, 16));
        i += 3;
      } else if (quote == '"' && c(0) == '\\' && !end(1)) {
        ++i;
        const std::string from = "nrtba";
        const std::string to = "\n\r\t\b\a";
        const std::size_t known = from.find(c(0));
        current += known == std::string::npos ? c(0) : to[known];
      } else if (quote == '\'' && c(0) == '\\' && c(1) == '\'') {
        ++i;
        current += '\'';
      } else if (quote != 0 && c(0) == quote) {
        if (!end(1) && !space(c(1))) return std::nullopt;
        done = true;
      } else if (quote != 0) {
        current += c(0);
      } else if (end() || c(0) == ' ' || c(0) == '\n' || c(0) == '\r' || c(0) == '\t') {
        done = true;
      } else if (c(0) == '"' || c(0) == '\'') {
        quote = c(0);
      } else {
        current += c(0);
      }
    }
    command.push_back(current);
  }
}

Decoded reference_decode(std::string_view bytes, const CommandLimits& limits) {
  return Reference{bytes, limits}.run();
}

Decoded decode_in_pieces(std::string_view bytes, const std::vector<std::size_t>& cuts,
                         const CommandLimits& limits) {
  using Outcome = CommandDecoder::Outcome;
  CommandDecoder decoder{limits};
  Decoded decoded;
  std::vector<std::size_t> ends = cuts;
  ends.push_back(bytes.size());
  for (const std::size_t end : ends) {
    for (auto outcome = Outcome::kCommand; outcome == Outcome::kCommand;) {
      // A fresh allocation of the exact size each time.
      const std::string_view rest = bytes.substr(decoded.consumed, end - decoded.consumed);
      const auto buffer = std::make_unique<char[]>(rest.size());
      rest.copy(buffer.get(), rest.size());
      outcome = decoder.decode({buffer.get(), rest.size()});
      decoded.consumed += decoder.consumed();
      if (outcome == Outcome::kCommand) {
        const auto arguments = decoder.arguments();
        decoded.commands.emplace_back(arguments.begin(), arguments.end());
      } else if (outcome == Outcome::kError) {
        decoded.error = decoder.error();
        return decoded;
      }
    }
  }
  return decoded;
}

}  // namespace larder::resp
