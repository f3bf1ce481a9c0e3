// `larder check`: every mistake of a configuration file at once; and what its
// settings mean.
#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/quantity.hpp"
#include "cli/subcommand.hpp"
#include "config/parse.hpp"
#include "config/reference.hpp"
#include "server/assembly.hpp"

namespace larder::cli {
namespace {

struct CheckOptions {
  std::string file;
  std::optional<std::string> explain;
  bool reference = false;
  bool database = false;
};

std::string count(std::size_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

// One problem a line, as compilers have it, so that editors find the place.
void print(const std::vector<Problem>& problems, const std::string& file) {
  for (const Problem& problem : problems) std::cerr << to_string(problem, file) << '\n';
}

// Columns of one width each, two spaces apart.
void print(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line = " ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += " " + row[i] + std::string(widths[i] - row[i].size() + 1, ' ');
    }
    std::cout << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
  }
}

std::string doors(const ServerConfig& server) {
  if (server.unix_socket.empty()) return server.listen;
  const std::string file = "unix:" + server.unix_socket;
  return server.listen.empty() ? file : server.listen + ", " + file;
}

void summarize(const Config& config) {
  std::cout << config.file << ": ok, " << count(config.caches.size(), "cache") << ", "
            << count(config.sources.size(), "source") << ", memory "
            << format_bytes(config.memory.capacity) << ", listening on " << doors(config.server)
            << '\n';
  std::vector<std::vector<std::string>> rows;
  for (const SourceConfig& source : config.sources) {
    rows.push_back({"source " + source.name, describe_url(source.url.reveal())});
  }
  for (const CacheConfig& cache : config.caches) {
    const std::string from = cache.source.empty() ? "" : " from " + cache.source;
    rows.push_back({"cache " + cache.name, cache.key.text(),
                    std::string{to_string(cache.strategy)} + from,
                    "ttl " + format_duration(cache.ttl)});
  }
  print(rows);
}

Exit check(const CheckOptions& options) {
  ParsedConfig parsed = load_config(options.file);
  if (parsed.config) {
    const Config& config = *parsed.config;
    for (Problem& problem : options.database ? check_databases(config) : check_urls(config)) {
      parsed.problems.push_back(std::move(problem));
    }
    std::ranges::sort(parsed.problems);
  }
  print(parsed.problems, options.file);
  if (has_mistake(parsed.problems)) return Exit::kMistake;
  summarize(*parsed.config);
  return Exit::kOk;
}

Exit explain(const std::string& name) {
  const auto text = explain_setting(name);
  if (text) {
    std::cout << *text;
    return Exit::kOk;
  }
  complain(text.error().message);
  return Exit::kMistake;
}

Exit run(const CheckOptions& options) {
  if (options.explain) return explain(*options.explain);
  if (!options.reference) return check(options);
  std::cout << configuration_reference();
  return Exit::kOk;
}

}  // namespace

void add_check(CLI::App& program, Action& action) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command =
      program.add_subcommand("check", "Report every mistake in a configuration file");
  auto* what = command->add_option_group("what")->require_option(1);
  what->add_option("file", options->file, "The file to check, as shop.toml");
  what->add_option("--explain", options->explain,
                   "Say what a setting means (caches.ttl), or list a section's (caches)");
  what->add_flag("--reference", options->reference,
                 "Print the page of all settings, docs/reference/configuration.md");
  command->add_flag("--database", options->database,
                    "Also open the sources and prepare the statements");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace larder::cli
