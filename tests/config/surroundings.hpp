// A configuration file's surroundings that a test makes up.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "config/parse.hpp"

namespace larder::test {

struct Surroundings {
  std::map<std::string, std::string> variables{};
  std::map<std::string, std::string> files{};

  // REQUIRES: this lives as long as what is returned is used.
  [[nodiscard]] ConfigSurroundings as(std::string file) const {
    return {.file = std::move(file),
            .environment = [this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              return found == variables.end() ? std::nullopt : std::optional{found->second};
            },
            .read_file = [this](const std::string& path) -> Result<std::string> {
              const auto found = files.find(path);
              if (found != files.end()) return found->second;
              return fail(Errc::kInvalidArgument, "cannot be read: No such file or directory");
            }};
  }
};

}  // namespace larder::test
