#include "config/reference.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "base/nearest_name.hpp"
#include "base/quantity.hpp"
#include "config/parse.hpp"
#include "config/setting_text.hpp"
#include "config/settings.hpp"

namespace larder {
namespace {

constexpr std::string_view kNeedsRestart = "at a restart alone, not at a reload";

struct SettingText {
  std::string path;  // "caches.ttl"
  std::string name;
  std::string type;
  std::string range;  // empty: none
  std::string unset;  // what leaving it out means
  std::string example;
  std::string meaning;
  std::string too_small;
  std::string too_large;
  bool needs_restart = false;
};

struct SectionText {
  std::string name;
  std::string heading;  // "[caches.NAME]"
  std::string meaning;
  std::vector<SettingText> settings;
};

// The type, range and default that a record's target tells.
template <class Section>
struct Describe {
  SettingText& text;
  const Section defaults{};

  template <class T>
  void operator()(const Ranged<Section, T>& target) const {
    text.type = type_of(T{});
    text.range = format_setting(target.least) + " to " + format_setting(target.most);
    text.unset = format_setting(defaults.*target.member);
  }
  void operator()(const Text<Section>& target) const {
    text.type = target.form;
    text.unset = "\"" + defaults.*target.member + "\"";
  }
  void operator()(const SecretText<Section>& target) const { text.type = target.form; }
  void operator()(bool Section::* member) const {
    text.type = "true or false";
    text.unset = defaults.*member ? "true" : "false";
  }
  void operator()(std::vector<std::string> Section::*) const {
    text.type = "a list of texts";
    text.unset = "none";
  }
  void operator()(KeyPattern Section::*) const { text.type = "a key pattern"; }
  void operator()(StrategyKind Section::*) const {
    text.type = "\"cache-aside\", \"read-through\", \"write-through\" or \"write-behind\"";
  }

  static std::string type_of(unsigned) { return "a whole number"; }
  static std::string type_of(double) { return "a number"; }
  static std::string type_of(Duration) { return "a duration"; }
  static std::string type_of(ByteCount) { return "a size in bytes"; }
};

template <class Section>
SectionText describe(const SectionRecord<Section>& record) {
  SectionText section{.name = std::string{record.name},
                      .heading = "[" + std::string{record.name} + (record.named ? ".NAME]" : "]"),
                      .meaning = std::string{record.meaning},
                      .settings = {}};
  for (const Setting<Section>& setting : record.settings) {
    SettingText text{.path = section.name + "." + std::string{setting.name},
                     .name = std::string{setting.name},
                     .type = {},
                     .range = {},
                     .unset = {},
                     .example = std::string{setting.name} + " = " + std::string{setting.example},
                     .meaning = std::string{setting.meaning},
                     .too_small = std::string{setting.too_small},
                     .too_large = std::string{setting.too_large},
                     .needs_restart = setting.needs_restart};
    std::visit(Describe<Section>{text}, setting.target);
    if (!setting.unset.empty()) text.unset = setting.unset;
    if (setting.required) text.unset = "none; it must be given";
    section.settings.push_back(std::move(text));
  }
  return section;
}

std::vector<SectionText> describe_all() {
  return {describe(server_section()), describe(tls_section()),    describe(user_section()),
          describe(memory_section()), describe(shared_section()), describe(journal_section()),
          describe(source_section()), describe(cache_section())};
}

// `text` in lines of at most 78 bytes, each after `indent`.
std::string wrapped(std::string_view text, std::string_view indent) {
  constexpr std::size_t kWidth = 78;
  std::string out;
  std::string line{indent};
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    if (line.size() > indent.size() && line.size() + 1 + word.size() > kWidth) {
      out += line + "\n";
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    line += word;
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return out + line + "\n";
}

std::string explain(const SettingText& setting) {
  std::string out = setting.path + "\n\n" + wrapped(setting.meaning, "  ") + "\n";
  out += "  Type       " + setting.type + "\n";
  if (!setting.range.empty()) out += "  Range      " + setting.range + "\n";
  out += "  Default    " + setting.unset + "\n";
  out += "  Example    " + setting.example + "\n";
  if (!setting.too_small.empty()) out += "  Too small  " + setting.too_small + "\n";
  if (!setting.too_large.empty()) out += "  Too large  " + setting.too_large + "\n";
  if (setting.needs_restart) out += "  Changes    " + std::string{kNeedsRestart} + "\n";
  return out;
}

std::string first_sentence(std::string_view text) {
  return std::string{text.substr(0, text.find(". ") + 1)};
}

std::string explain(const SectionText& section) {
  std::string out = section.heading + "\n\n" + wrapped(section.meaning, "  ") + "\n";
  std::size_t widest = 0;
  for (const SettingText& setting : section.settings) {
    widest = std::max(widest, setting.name.size());
  }
  for (const SettingText& setting : section.settings) {
    const std::string sentence = first_sentence(setting.meaning);
    out += "  " + setting.name + std::string(widest - setting.name.size() + 2, ' ') +
           (sentence.empty() ? setting.meaning : sentence) + "\n";
  }
  return out + "\nMore of one: larder check --explain " + section.settings[0].path + "\n";
}

// "caches.product.ttl", as a file and a message have it, is "caches.ttl" here.
std::string without_middle(std::string_view name) {
  const std::size_t first = name.find('.');
  const std::size_t last = name.rfind('.');
  if (first == last) return std::string{name};
  return std::string{name.substr(0, first)} + std::string{name.substr(last)};
}

std::string markdown(const SettingText& setting) {
  std::string out = "### `" + setting.path + "`\n\n" + setting.meaning + "\n\n";
  out += "| | |\n| --- | --- |\n";
  out += "| Type | " + setting.type + " |\n";
  if (!setting.range.empty()) out += "| Range | " + setting.range + " |\n";
  out += "| Default | " + setting.unset + " |\n";
  out += "| Example | `" + setting.example + "` |\n";
  if (!setting.too_small.empty()) out += "| Too small | " + setting.too_small + " |\n";
  if (!setting.too_large.empty()) out += "| Too large | " + setting.too_large + " |\n";
  if (setting.needs_restart) out += "| Changes | " + std::string{kNeedsRestart} + " |\n";
  return out + "\n";
}

constexpr std::string_view kIntroduction = R"(# The configuration file

<!-- Made from the settings' records: larder check --reference > docs/reference/configuration.md -->

One TOML file says where the truth lives, which caches there are, and what the
server may use. `larder check FILE` reports every mistake in it at once, each
with file, line and column; `larder check --explain caches.ttl` says what is
said here.

```toml
[sources.shop]
url = "sqlite:shop.db"

[caches.product]
key    = "product:{id:int}"
source = "shop"
read   = "SELECT id, name, price FROM products WHERE id = :id"
ttl    = "5m"
```

## How values are written

- A **duration** is one or more numbers with units, the largest first, in quotes:
  `"250ms"`, `"5m"`, `"1h30m"`. Units: ns, us, ms, s, m, h, d. A number alone is
  refused.
- A **size** is a number with its unit in quotes: `"64MiB"`, `"100B"`. KiB, MiB,
  GiB and TiB count in 1024, KB, MB, GB and TB in 1000.
- Any **text** but a `key` may stand elsewhere: `"env:SHOP_URL"` is the value of
  an environment variable, `"file:/run/secrets/shop_url"` a file's text without
  its last line break. A relative path starts at the configuration file's folder.
  What a mistake in it is, is told without its text; but the file name of a SQLite
  database, the host and database of a PostgreSQL one, and a statement's SQL are
  shown to operators and stand in errors wherever they come from. A password in a
  `url` never is.
- A **key pattern** is text with parts in braces, `product:{id:int}`. No key may
  fit the patterns of two caches.
)";

std::string limits() {
  return "- **Limits**: the file has at most " + format_bytes({kMaxConfigBytes}) + ", " +
         std::to_string(kMaxSections) + " sources and " + std::to_string(kMaxSections) +
         " caches; a key pattern at most " + std::to_string(KeyPattern::kMaxLength) +
         " bytes and " + std::to_string(KeyPattern::kMaxParts) + " parts.\n\n";
}

std::string later_markdown() {
  std::string out =
      "## Not in this version\n\nThese are refused, with a message that says so, rather than "
      "ignored:\n\n";
  for (const LaterSetting& later : later_settings()) {
    const std::string name{later.section};
    out += later.name.empty() ? "- `[" + name + "]`"
                              : "- `" + name + "." + std::string{later.name} + "`";
    out += ": " + std::string{later.what} + "\n";
  }
  return out;
}

}  // namespace

Result<std::string> explain_setting(std::string_view name) {
  const std::vector<SectionText> sections = describe_all();
  const std::string wanted = without_middle(name);
  std::vector<std::string_view> names;
  std::vector<const SettingText*> by_last_name;
  for (const SectionText& section : sections) {
    if (section.name == wanted || section.heading == name) return explain(section);
    names.push_back(section.name);
    for (const SettingText& setting : section.settings) {
      if (setting.path == wanted) return explain(setting);
      if (setting.name == wanted) by_last_name.push_back(&setting);
      names.push_back(setting.path);
    }
  }
  if (by_last_name.size() == 1) return explain(*by_last_name[0]);

  std::string why = "there is no setting \"" + std::string{name} + "\"";
  if (const auto nearest = nearest_name(wanted, names)) {
    return fail(Errc::kInvalidArgument, why + "; did you mean " + std::string{*nearest} + "?");
  }
  return fail(Errc::kInvalidArgument, why +
                                          "; name one, as caches.ttl, or a section: server, tls, "
                                          "users, memory, shared, journal, sources, "
                                          "caches.");
}

std::string configuration_reference() {
  std::string page{kIntroduction};
  page += limits();
  for (const SectionText& section : describe_all()) {
    page += "## `" + section.heading + "`\n\n" + section.meaning + "\n\n";
    for (const SettingText& setting : section.settings) page += markdown(setting);
  }
  return page + later_markdown();
}

}  // namespace larder
