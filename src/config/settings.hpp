// The settings, one record each: from it come the checking of type and range,
// the text of the default, `larder check --explain`, and the reference page.
//
// To add a setting: a member with its default in config.hpp, its record in
// settings.cpp, and `larder check --reference > docs/reference/configuration.md`.
// A check against other settings goes to checks.cpp.
//
// Threads: immutable.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hpp"

namespace larder {

// Why a text cannot be right, as half a sentence that follows it ("has no port");
// nullopt when it can.
using TextCheck = std::optional<std::string> (*)(std::string_view text);

// Where a value goes and what it may be. The member's type is the setting's type.
template <class Section, class T>
struct Ranged {
  T Section::* member;
  T least;
  T most;
};
template <class Section>
struct Text {
  std::string Section::* member;
  std::string_view form;      // what it is, for people: "an address, HOST:PORT"
  TextCheck check = nullptr;  // nullptr: any text
  bool may_be_empty = false;
};
template <class Section>
struct SecretText {
  Secret Section::* member;
  std::string_view form;
  TextCheck check = nullptr;  // quotes nothing of the text
};
template <class Section>
using Target =
    std::variant<Ranged<Section, unsigned>, Ranged<Section, ByteCount>, Ranged<Section, Duration>,
                 Ranged<Section, double>, Text<Section>, SecretText<Section>, bool Section::*,
                 std::vector<std::string> Section::*, KeyPattern Section::*,
                 StrategyKind Section::*>;

template <class Section>
struct Setting {
  std::string_view name;
  Target<Section> target;
  std::string_view example;         // the value as it stands in a file
  std::string_view meaning;         // sentences
  std::string_view too_small = {};  // what happens then, a sentence
  std::string_view too_large = {};
  std::string_view unset = {};  // what leaving it out means, where the default does not say it
  bool required = false;
  bool needs_restart = false;  // to change; see change.hpp
};

template <class Section>
struct SectionRecord {
  std::string_view name;  // "caches"
  bool named;             // one table for each name, [caches.NAME]
  std::string_view meaning;
  std::vector<Setting<Section>> settings;
};

[[nodiscard]] const SectionRecord<ServerConfig>& server_section();
[[nodiscard]] const SectionRecord<TlsConfig>& tls_section();
[[nodiscard]] const SectionRecord<UserConfig>& user_section();
[[nodiscard]] const SectionRecord<MemoryConfig>& memory_section();
[[nodiscard]] const SectionRecord<SharedConfig>& shared_section();
[[nodiscard]] const SectionRecord<JournalConfig>& journal_section();
[[nodiscard]] const SectionRecord<SourceConfig>& source_section();
[[nodiscard]] const SectionRecord<CacheConfig>& cache_section();

// The names of the sections above, in their order in the reference.
[[nodiscard]] std::span<const std::string_view> section_names();

// Settings that larder's design names and this version lacks.
struct LaterSetting {
  std::string_view section;
  std::string_view name;  // empty: the whole section
  std::string_view what;  // "serving stale entries"
};
[[nodiscard]] std::span<const LaterSetting> later_settings();
// Nullptr when it is none of these.
[[nodiscard]] const LaterSetting* find_later(std::string_view section, std::string_view name);

}  // namespace larder
