// The shared tier as a configuration sets it up.
//
// Threads: pure functions, but that open_shared() begins to connect.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "config/problem.hpp"
#include "larder/error.hpp"
#include "larder/runtime.hpp"
#include "shared/tier.hpp"

namespace larder {

// The tier that [shared] names; null without one. Problems are those of PEM files.
[[nodiscard]] std::expected<std::shared_ptr<shared::Tier>, Problem> open_shared(
    Runtime& runtime, const Config& config,
    std::function<void(bool there, const std::string& sentence)> tell);

// Tells apart what a cache's values are made of: another where the statements, the columns
// that are JSON, the keys' pattern, the source or the version are others. Lifetimes are
// not part of it.
[[nodiscard]] std::uint64_t shared_fingerprint(const CacheConfig& cache,
                                               const SourceConfig& source);

}  // namespace larder
