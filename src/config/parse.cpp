#include "config/parse.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/nearest_name.hpp"
#include "base/quantity.hpp"
#include "base/sql_assigns.hpp"
#include "config/checks.hpp"
#include "config/setting_text.hpp"
#include "config/settings.hpp"
#include "config/source_url.hpp"
#include "config/syntax.hpp"
#include "config/value_reader.hpp"

namespace larder {
namespace {

// Hands a value to the reader that its setting's record names.
template <class Section>
struct Assign {
  ValueReader& reader;
  const Place& place;
  Section& section;

  void operator()(const Ranged<Section, unsigned>& target) const {
    reader.count(place, target.least, target.most, section.*target.member);
  }
  void operator()(const Ranged<Section, ByteCount>& target) const {
    reader.size(place, target.least, target.most, section.*target.member);
  }
  void operator()(const Ranged<Section, Duration>& target) const {
    reader.duration(place, target.least, target.most, section.*target.member);
  }
  void operator()(const Ranged<Section, double>& target) const {
    reader.fraction(place, target.least, target.most, section.*target.member);
  }
  void operator()(const Text<Section>& target) const {
    reader.text(place, target.form, target.check, target.may_be_empty, section.*target.member);
  }
  void operator()(const SecretText<Section>& target) const {
    reader.secret(place, target.form, target.check, section.*target.member);
  }
  void operator()(bool Section::* member) const { reader.flag(place, section.*member); }
  void operator()(std::vector<std::string> Section::* member) const {
    reader.texts(place, section.*member);
  }
  void operator()(KeyPattern Section::* member) const { reader.pattern(place, section.*member); }
  void operator()(StrategyKind Section::* member) const { reader.strategy(place, section.*member); }
};

// Messages quote the file; nothing of it moves a terminal's cursor.
std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return text;
}

// A name as it stands in a message.
std::string shown(std::string_view name) { return std::string{name.substr(0, 64)}; }

bool is_section_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, fits);
}

// "; did you mean ttl?", or all that there is.
std::string suggestion(std::string_view name, std::span<const std::string_view> names) {
  if (const auto nearest = nearest_name(name, names)) {
    return "; did you mean " + std::string{*nearest} + "?";
  }
  return "; there are " + list_names(names) + ".";
}

std::string no_section(const std::string& kind, std::string_view name) {
  return kind + "." + shown(name) + " is no section; a setting stands under [" + kind +
         ".NAME], which gives it its " + kind.substr(0, kind.size() - 1) + ".";
}

std::string no_name(const std::string& kind, std::string_view name) {
  return "[" + kind + ".\"" + shown(name) +
         "\"] is no name; it has letters, digits, '_' and '-', at most 64.";
}

class Parse {
 public:
  explicit Parse(const ConfigSurroundings& surroundings)
      : surroundings_{surroundings}, reader_{surroundings, problems_} {
    config_.file = surroundings.file;
  }

  ParsedConfig parse(std::string_view text) {
    const auto root = parse_toml(text);
    if (root) {
      for (const auto& [key, node] : *root) read_section(key, node);
      in_written_order(config_.users);
      in_written_order(config_.sources);
      in_written_order(config_.caches);
      std::ranges::for_each(config_.sources, [this](SourceConfig& source) { finish(source); });
      std::ranges::for_each(config_.caches, [](CacheConfig& cache) { finish(cache); });
      finish(config_.server);
      finish(config_.tls);
      finish(config_.journal);
      check_config(config_, problems_);
    } else {
      problems_.push_back(root.error());
    }
    for (Problem& problem : problems_) problem.message = printable(std::move(problem.message));
    std::ranges::sort(problems_);
    ParsedConfig parsed;
    if (!has_mistake(problems_)) parsed.config = std::move(config_);
    parsed.problems = std::move(problems_);
    return parsed;
  }

 private:
  void report(Position position, std::string message) {
    problems_.push_back({.position = position, .message = std::move(message)});
  }

  void read_section(const toml::key& key, const toml::node& node) {
    const std::string_view name = key.str();
    if (name == "server") return read_single(server_section(), key, node, config_.server);
    if (name == "tls") return read_single(tls_section(), key, node, config_.tls);
    if (name == "users") return read_named(user_section(), key, node, config_.users);
    if (name == "memory") return read_single(memory_section(), key, node, config_.memory);
    if (name == "shared") return read_single(shared_section(), key, node, config_.shared);
    if (name == "journal") return read_single(journal_section(), key, node, config_.journal);
    if (name == "sources") return read_named(source_section(), key, node, config_.sources);
    if (name == "caches") return read_named(cache_section(), key, node, config_.caches);
    const Position position = position_of(key.source());
    if (const LaterSetting* later = find_later(name, "")) {
      return report(position, "[" + std::string{name} + "]: " + std::string{later->what} +
                                  " is not in this version of larder; remove the section.");
    }
    report(position, misplaced(name));
  }

  // A section, or a setting that stands outside its own.
  static std::string misplaced(std::string_view name) {
    if (has_setting(server_section(), name)) {
      return shown(name) + " stands outside of its section; put it under [server].";
    }
    if (has_setting(memory_section(), name)) {
      return shown(name) + " stands outside of its section; put it under [memory].";
    }
    return "there is no section [" + shown(name) + "]" + suggestion(name, section_names());
  }

  template <class Section>
  static bool has_setting(const SectionRecord<Section>& record, std::string_view name) {
    return std::ranges::find(record.settings, name, &Setting<Section>::name) !=
           record.settings.end();
  }

  template <class Section>
  void read_single(const SectionRecord<Section>& record, const toml::key& key,
                   const toml::node& node, Section& into) {
    const toml::table* table = node.as_table();
    if (table != nullptr) return read_settings(record, std::string{record.name}, key, *table, into);
    report(position_of(key.source()), std::string{record.name} + " is a section; write [" +
                                          std::string{record.name} + "] on a line of its own.");
  }

  template <class Section>
  void read_named(const SectionRecord<Section>& record, const toml::key& key,
                  const toml::node& node, std::vector<Section>& into) {
    const std::string kind{record.name};
    const toml::table* tables = node.as_table();
    if (tables == nullptr) {
      return report(position_of(key.source()),
                    kind + " holds a section for each name; write [" + kind + ".NAME].");
    }
    if (tables->size() > kMaxSections) {
      return report(position_of(key.source()), "the " + kind + " are more than the most, " +
                                                   std::to_string(kMaxSections) + "; there are " +
                                                   std::to_string(tables->size()) + ".");
    }
    for (const auto& [name, inner] : *tables) {
      const Position position = position_of(name.source());
      const toml::table* table = inner.as_table();
      if (table == nullptr) {
        report(position, no_section(kind, name.str()));
      } else if (!is_section_name(name.str())) {
        report(position, no_name(kind, name.str()));
      } else {
        Section section;
        section.name = name.str();
        read_settings(record, kind + "." + section.name, name, *table, section);
        into.push_back(std::move(section));
      }
    }
  }

  template <class Section>
  void read_settings(const SectionRecord<Section>& record, const std::string& path,
                     const toml::key& key, const toml::table& table, Section& into) {
    into.written.section = position_of(key.source());
    for (const auto& [name, node] : table) {
      const auto setting = std::ranges::find(record.settings, name.str(), &Setting<Section>::name);
      if (setting == record.settings.end()) {
        unknown_setting(record, path, name);
        continue;
      }
      const Place place{.path = path + "." + std::string{name.str()},
                        .node = node,
                        .example = setting->example,
                        .too_small = setting->too_small,
                        .too_large = setting->too_large};
      const std::size_t mistakes = problems_.size();
      std::visit(Assign<Section>{reader_, place, into}, setting->target);
      into.written.settings.emplace(name.str(),
                                    Written::Place{.position = position_of(node.source()),
                                                   .usable = problems_.size() == mistakes,
                                                   .from = reader_.take_origin()});
    }
    for (const Setting<Section>& setting : record.settings) {
      if (!setting.required || into.written.has(setting.name)) continue;
      report(into.written.section, "[" + path + "] lacks " + std::string{setting.name} + "; add " +
                                       std::string{setting.name} + " = " +
                                       std::string{setting.example} + ".");
    }
  }

  template <class Section>
  void unknown_setting(const SectionRecord<Section>& record, const std::string& path,
                       const toml::key& name) {
    const Position position = position_of(name.source());
    if (const LaterSetting* later = find_later(record.name, name.str())) {
      return report(position, path + "." + std::string{name.str()} + ": " +
                                  std::string{later->what} +
                                  " is not in this version of larder; remove the setting.");
    }
    std::vector<std::string_view> names;
    for (const Setting<Section>& setting : record.settings) names.push_back(setting.name);
    report(position,
           "[" + path + "] has no setting " + shown(name.str()) + suggestion(name.str(), names));
  }

  // TOML tables come sorted by name; people count from the top.
  template <class Section>
  static void in_written_order(std::vector<Section>& sections) {
    std::ranges::sort(sections, {}, [](const Section& s) { return s.written.section; });
  }

  void finish(SourceConfig& source) const {
    const auto url = parse_source_url(source.url.reveal());
    if (!url) return;  // reported as it was read
    source.kind = url->kind;
    if (url->kind == SourceKind::kSqlite) source.path = beside(surroundings_.file, url->path);
  }

  void finish(ServerConfig& server) const {
    if (!server.unix_socket.empty()) {
      server.unix_socket = beside(surroundings_.file, server.unix_socket);
    }
  }

  void finish(TlsConfig& tls) const {
    for (std::string* path : {&tls.certificate, &tls.key, &tls.client_ca}) {
      if (!path->empty()) *path = beside(surroundings_.file, *path);
    }
  }

  void finish(JournalConfig& journal) const {
    if (!journal.path.empty()) journal.path = beside(surroundings_.file, journal.path);
  }

  static void finish(CacheConfig& cache) {
    if (cache.written.has("source") && !cache.written.has("strategy")) {
      cache.strategy = StrategyKind::kReadThrough;
    }
    // A mistaken ttl stands at its default here.
    if (!cache.written.has("negative_ttl")) {
      cache.negative_ttl = std::min(cache.negative_ttl, cache.ttl);
    }
  }

  const ConfigSurroundings& surroundings_;
  std::vector<Problem> problems_;
  ValueReader reader_;
  Config config_;
};

// A regular file's text, bounded. Anything else could be waited for without end.
Result<std::string> read_file(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(status)) {
    return fail(Errc::kInvalidArgument, "is a folder; name a file in it");
  }
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return fail(Errc::kInvalidArgument,
                "is a pipe, a socket or a device; write the text to a file and name that");
  }
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    return fail(Errc::kInvalidArgument, std::string{"cannot be read: "} + std::strerror(errno));
  }
  std::string text(kMaxConfigBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) {
    return fail(Errc::kInvalidArgument, std::string{"cannot be read: "} + std::strerror(errno));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxConfigBytes) {
    return fail(Errc::kInvalidArgument, "has more than " + format_bytes({kMaxConfigBytes}));
  }
  return text;
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

}  // namespace

bool coalesces(const CacheConfig& cache) {
  return cache.written.has("coalesce") ? cache.coalesce : only_assigns(cache.write);
}

ParsedConfig parse_config(std::string_view text, const ConfigSurroundings& surroundings) {
  return Parse{surroundings}.parse(text);
}

ParsedConfig load_config(const std::string& file) {
  const auto text = read_file(file);
  if (!text) {
    Problem problem{.position = {}, .message = "the file " + text.error().message + "."};
    return {.config = std::nullopt, .problems = {std::move(problem)}};
  }
  return parse_config(*text, {.file = file, .environment = environment, .read_file = read_file});
}

}  // namespace larder
