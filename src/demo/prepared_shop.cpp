#include "demo/prepared_shop.hpp"

#include <fmt/format.h>

#include <chrono>

#include "demo/comparison.hpp"

namespace larder::demo {

Result<void> prepare_shop(const std::filesystem::path& file, const ShopPlan& wanted,
                          std::ostream& out, Screen screen, const std::stop_token& stop) {
  const std::string size =
      fmt::format("{} products and {} reviews", grouped(wanted.products), grouped(wanted.reviews));
  const Found found = look_for_shop(file, wanted);
  if (found == Found::kThisShop) {
    out << fmt::format("A shop with {}: {}, kept from an earlier run.", size, file.string())
        << std::endl;
    return {};
  }
  if (found == Found::kForeign) {
    return fail(Errc::kRefused, file.string() +
                                    " is no shop that `larder demo` made, and stays "
                                    "as it is: move it, or name another --directory");
  }
  const TimePoint start = std::chrono::steady_clock::now();
  {
    ProgressBar bar{out, screen, "Building the shop", steady_clock()};
    auto built = build_shop(
        file, wanted, [&](std::uint64_t done, std::uint64_t total) { bar.show(done, total); },
        stop);
    if (!built) return built;
  }
  out << fmt::format("A shop with {}: {}, built in {}.", size, file.string(),
                     short_text(std::chrono::steady_clock::now() - start))
      << std::endl;
  return {};
}

}  // namespace larder::demo
