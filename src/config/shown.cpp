#include "config/shown.hpp"

#include <string_view>
#include <utility>
#include <variant>

#include "config/setting_text.hpp"
#include "config/settings.hpp"

namespace larder {
namespace {

template <class Section>
struct ShownIn {
  const Section& section;
  std::string_view setting;

  template <class T>
  std::string operator()(const Ranged<Section, T>& target) const {
    return format_setting(section.*target.member);
  }
  std::string operator()(const Text<Section>& target) const { return section.*target.member; }
  std::string operator()(const SecretText<Section>& target) const {
    const Secret& secret = section.*target.member;
    if (secret.empty()) return {};
    const bool is_url = setting == "url" || setting == "backplane";
    return is_url ? describe_url(secret.reveal()) : "(redacted)";
  }
  std::string operator()(bool Section::* member) const {
    return section.*member ? "true" : "false";
  }
  std::string operator()(std::vector<std::string> Section::* member) const {
    std::string words;
    for (const std::string& word : section.*member) words += (words.empty() ? "" : " ") + word;
    return words;
  }
  std::string operator()(KeyPattern Section::* member) const {
    return std::string{(section.*member).text()};
  }
  std::string operator()(StrategyKind Section::* member) const {
    return std::string{to_string(section.*member)};
  }
};

template <class Section>
void add(const SectionRecord<Section>& record, const Section& section, std::string_view name,
         std::vector<ShownSetting>& settings) {
  std::string prefix{record.name};
  prefix += '.';
  if (record.named) prefix.append(name).append(".");
  for (const Setting<Section>& setting : record.settings) {
    std::string value = std::visit(ShownIn<Section>{section, setting.name}, setting.target);
    settings.push_back({prefix + std::string{setting.name},
                        section.written.shown(setting.name, std::move(value))});
  }
}

}  // namespace

std::vector<ShownSetting> shown_settings(const Config& config) {
  std::vector<ShownSetting> settings;
  add(server_section(), config.server, {}, settings);
  add(tls_section(), config.tls, {}, settings);
  add(memory_section(), config.memory, {}, settings);
  if (!config.shared.url.empty()) add(shared_section(), config.shared, {}, settings);
  if (!config.journal.path.empty()) add(journal_section(), config.journal, {}, settings);
  for (const UserConfig& user : config.users) add(user_section(), user, user.name, settings);
  for (const SourceConfig& source : config.sources) {
    add(source_section(), source, source.name, settings);
  }
  for (const CacheConfig& cache : config.caches) add(cache_section(), cache, cache.name, settings);
  return settings;
}

}  // namespace larder
