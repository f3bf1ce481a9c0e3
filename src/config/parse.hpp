// A configuration file's text → a Config, or everything that is wrong with it.
//
//   const larder::ParsedConfig parsed = larder::load_config("shop.toml");
//   for (const auto& problem : parsed.problems) std::cerr << to_string(problem, "shop.toml") <<
//   '\n'; if (parsed.config) serve(*parsed.config);
//
// Limits: a text of 1 MiB, 1000 caches and 1000 sources, 16 parts in a key or
// nested brackets. Beyond them the file is refused; no text crashes.
//
// Threads: functions without state, callable from any.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/problem.hpp"
#include "larder/error.hpp"

namespace larder {

inline constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxSections = 1000;  // caches, and sources

// What a text refers to outside itself.
struct ConfigSurroundings {
  // How the file is called in messages; relative paths in it start at its folder.
  std::string file = "larder.toml";
  // An environment variable's value, for `env:NAME`; nullopt: not set.
  std::function<std::optional<std::string>(const std::string& name)> environment;
  // A file's text, for `file:PATH`; the error is a half sentence ("cannot be read: …").
  std::function<Result<std::string>(const std::string& path)> read_file;
};

struct ParsedConfig {
  std::optional<Config> config;   // unless there is a mistake
  std::vector<Problem> problems;  // all of them, in the order of the text
};

// Pure: reads nothing but through `surroundings`. Never throws but bad_alloc.
[[nodiscard]] ParsedConfig parse_config(std::string_view text,
                                        const ConfigSurroundings& surroundings);

// The same from a file, with the process's environment and files.
[[nodiscard]] ParsedConfig load_config(const std::string& file);

}  // namespace larder
