#include "config/change.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "config/settings.hpp"

namespace larder {
namespace {

// Whether a setting's value is the same in two sections.
template <class Section>
struct SameIn {
  const Section& a;
  const Section& b;

  template <class T>
  bool operator()(const Ranged<Section, T>& target) const {
    return a.*target.member == b.*target.member;
  }
  bool operator()(const Text<Section>& target) const {
    return a.*target.member == b.*target.member;
  }
  bool operator()(const SecretText<Section>& target) const {
    return a.*target.member == b.*target.member;
  }
  bool operator()(KeyPattern Section::* member) const {
    return (a.*member).text() == (b.*member).text();
  }
  template <class T>
  bool operator()(T Section::* member) const {
    return a.*member == b.*member;
  }
};

template <class Section>
bool differs(const Setting<Section>& setting, const Section& a, const Section& b) {
  return !std::visit(SameIn<Section>{a, b}, setting.target);
}

template <class Section>
std::vector<std::string_view> differences_by(const SectionRecord<Section>& record, const Section& a,
                                             const Section& b) {
  std::vector<std::string_view> names;
  for (const Setting<Section>& setting : record.settings) {
    if (differs(setting, a, b)) names.push_back(setting.name);
  }
  return names;
}

template <class Section>
void find_fixed(const SectionRecord<Section>& record, const Section& running, const Section& wanted,
                std::vector<Problem>& problems) {
  for (const Setting<Section>& setting : record.settings) {
    if (!setting.needs_restart || !differs(setting, running, wanted)) continue;
    problems.push_back(
        {.position = wanted.written.of(setting.name),
         .message = std::string{record.name} + "." + std::string{setting.name} +
                    " is not what this process was started with, and changes only at a "
                    "restart; set it back, or restart larder."});
  }
}

}  // namespace

std::vector<std::string_view> differences(const SourceConfig& a, const SourceConfig& b) {
  return differences_by(source_section(), a, b);
}

std::vector<std::string_view> differences(const CacheConfig& a, const CacheConfig& b) {
  return differences_by(cache_section(), a, b);
}

std::vector<Problem> what_needs_restart(const Config& running, const Config& wanted) {
  std::vector<Problem> problems;
  find_fixed(server_section(), running.server, wanted.server, problems);
  find_fixed(tls_section(), running.tls, wanted.tls, problems);
  find_fixed(memory_section(), running.memory, wanted.memory, problems);
  find_fixed(shared_section(), running.shared, wanted.shared, problems);
  find_fixed(journal_section(), running.journal, wanted.journal, problems);
  if (running.tls.certificate.empty() != wanted.tls.certificate.empty()) {
    const std::string_view what = wanted.tls.certificate.empty() ? "[tls] went" : "[tls] came";
    problems.push_back({.position = wanted.tls.written.section,
                        .message = std::string{what} +
                                   ", which needs a restart; set it back, or restart larder."});
  }
  std::ranges::sort(problems);
  return problems;
}

}  // namespace larder
