// Reads one TOML value as the type that a setting has, and says in words why it
// cannot be.
//
// Threads: confine to one; it appends to the caller's list of problems.
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/parse.hpp"
#include "config/problem.hpp"
#include "config/settings.hpp"

namespace larder {

// The setting that a value stands for.
struct Place {
  std::string path;  // "caches.product.ttl"
  const toml::node& node;
  std::string_view example;
  std::string_view too_small;
  std::string_view too_large;
};

// A text, from the file itself or from where it refers to.
struct ResolvedText {
  std::string value;
  // What messages call it: the text in quotes or, when it came from elsewhere
  // and may be a secret, only where from.
  std::string shown;
  bool literal = true;
};

class ValueReader {
 public:
  // REQUIRES: both outlive the reader.
  ValueReader(const ConfigSurroundings& surroundings, std::vector<Problem>& problems)
      : surroundings_{surroundings}, problems_{problems} {}

  // Each stores the value in `into`, or reports a problem and leaves it.
  void count(const Place& place, unsigned least, unsigned most, unsigned& into);
  void fraction(const Place& place, double least, double most, double& into);
  void duration(const Place& place, Duration least, Duration most, Duration& into);
  void size(const Place& place, ByteCount least, ByteCount most, ByteCount& into);
  void flag(const Place& place, bool& into);
  void texts(const Place& place, std::vector<std::string>& into);
  void pattern(const Place& place, KeyPattern& into);
  void strategy(const Place& place, StrategyKind& into);
  // `check`, as in TextCheck; `form` says what is wanted when the check's own
  // words might give away a secret, which those of a secret's check never do.
  void text(const Place& place, std::string_view form, TextCheck check, bool may_be_empty,
            std::string& into);
  void secret(const Place& place, std::string_view form, TextCheck check, Secret& into);

  // Where the value last read came from, when not from the file itself; forgets it.
  [[nodiscard]] std::string take_origin() { return std::exchange(origin_, {}); }

 private:
  void report(const Place& place, const std::string& what);
  void wrong_type(const Place& place, std::string_view wanted);
  template <class T>
  [[nodiscard]] bool within(const Place& place, const std::string& shown, T value, T least, T most);
  [[nodiscard]] std::optional<std::string> plain_text(const Place& place, std::string_view wanted);
  [[nodiscard]] std::optional<ResolvedText> resolved(const Place& place, std::string_view wanted);
  [[nodiscard]] std::optional<ResolvedText> from_environment(const Place& place, std::string name);
  [[nodiscard]] std::optional<ResolvedText> from_file(const Place& place, std::string path);
  void bare_number(const Place& place, std::string_view kind, std::string_view first,
                   std::string_view second);

  const ConfigSurroundings& surroundings_;
  std::vector<Problem>& problems_;
  std::string origin_;
};

// `path`, from the folder of the file that names it. Lexical.
[[nodiscard]] std::string beside(const std::string& file, const std::string& path);

}  // namespace larder
