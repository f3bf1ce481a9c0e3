// Configuration files: any text is a Config or a list of mistakes with places.
#include <set>

#include "config/parse.hpp"
#include "fuzz/check.hpp"

namespace larder {
namespace {

using fuzz::require;

// The one variable and the one file that there are.
constexpr std::string_view kSecret = "sqlite:hunter2";

ConfigSurroundings surroundings() {
  return {.file = "etc/larder.toml",
          .environment = [](const std::string& name) -> std::optional<std::string> {
            if (name != "SECRET") return std::nullopt;
            return std::string{kSecret};
          },
          .read_file = [](const std::string& path) -> Result<std::string> {
            if (path == "etc/secret") return std::string{kSecret} + "\n";
            return fail(Errc::kInvalidArgument, "cannot be read");
          }};
}

void check_problem(const Problem& problem, std::string_view text) {
  const bool secret_in_text = text.contains("hunter2");
  require(problem.position.line > 0 && problem.position.column > 0, "has a place");
  require(!problem.message.empty(), "says something");
  require(problem.message.find_first_of("\n\r\x1b") == std::string::npos, "is one line");
  require(secret_in_text || !problem.message.contains("hunter2"), "gives no secret away");
}

void check_config(const Config& config) {
  std::set<std::string> sources;
  for (const SourceConfig& source : config.sources) sources.insert(source.name);
  require(!config.caches.empty(), "has a cache");
  for (const CacheConfig& cache : config.caches) {
    require(cache.source.empty() || sources.contains(cache.source), "names sources that are");
    require(cache.source.empty() == cache.read.empty(), "has read with a source");
    require(cache.ttl > Duration::zero() && cache.negative_ttl <= cache.ttl, "lives for a while");
    require(cache.jitter >= 0 && cache.jitter <= 0.5, "has a jitter in range");
    require(!cache.key.text().empty(), "has keys");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};

  const ParsedConfig parsed = parse_config(text, surroundings());

  require(parsed.config.has_value() == !has_mistake(parsed.problems), "is refused for mistakes");
  for (const Problem& problem : parsed.problems) check_problem(problem, text);
  if (parsed.config) check_config(*parsed.config);
  return 0;
}

}  // namespace larder
