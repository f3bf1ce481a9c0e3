#include "demo/straight.hpp"

#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "demo/processor_time.hpp"
#include "demo/shop.hpp"

namespace larder::demo {
namespace {

constexpr ByteCount kMostOfAPage{32ULL << 20};

constexpr const char* kReadPragmas =
    "PRAGMA query_only = ON; PRAGMA mmap_size = 2147418112; PRAGMA cache_size = -65536";

// What one thread did.
struct Share {
  Result<void> outcome;
  std::uint64_t pages = 0;
  Histogram latencies{};
  Duration processor_time{};
};

void view(PageReader& pages, Viewer viewer, TimePoint measure_from, TimePoint until,
          const std::stop_token& stop, Share& share) {
  std::string page;
  Duration worked{};  // before the first page that counts
  TimePoint asked = std::chrono::steady_clock::now();
  while (asked < until && !stop.stop_requested()) {
    if (share.pages == 0) worked = processor_time_of_this_thread();
    const Result<bool> read = pages.read(viewer.next(), page);
    if (!read) {
      share.outcome = std::unexpected{read.error()};
      return;
    }
    const TimePoint answered = std::chrono::steady_clock::now();
    if (asked >= measure_from) {
      ++share.pages;
      share.latencies.record(answered - asked);
    }
    asked = answered;
  }
  share.processor_time = processor_time_of_this_thread() - worked;
}

}  // namespace

PageReader::PageReader(Database database, Statement query, RowShape shape)
    : database_{std::move(database)},
      query_{std::move(query)},
      shape_{std::move(shape)},
      order_(shape_.columns.size()) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
}

Result<PageReader> PageReader::open(const std::filesystem::path& shop) {
  auto database = Database::open(shop.string(), Database::Mode::kRead);
  if (!database) return std::unexpected{database.error()};
  if (auto done = database->run(kReadPragmas); !done) return std::unexpected{done.error()};
  auto query = database->prepare(page_query());
  if (!query) return std::unexpected{query.error()};
  auto shape = RowShape::of(query->get(), {std::string{kPageJsonColumn}});
  if (!shape) return std::unexpected{shape.error()};
  return PageReader{std::move(*database), std::move(*query), std::move(*shape)};
}

Result<bool> PageReader::read(std::int64_t product, std::string& page) {
  page.clear();
  query_.bind(1, product);
  const auto step = query_.step();
  if (!step) return std::unexpected{step.error()};
  const bool found = *step == Statement::Step::kRow;
  Result<void> rendered;
  if (found) rendered = append_row(page, query_.get(), shape_, order_, kMostOfAPage);
  query_.reset();
  if (!rendered) return std::unexpected{rendered.error()};
  return found;
}

Result<Measured> run_straight(const std::filesystem::path& shop, const Popularity& popularity,
                              const StraightPlan& plan, const std::stop_token& stop) {
  std::vector<PageReader> readers;
  for (unsigned i = 0; i < plan.viewers; ++i) {
    auto reader = PageReader::open(shop);
    if (!reader) return std::unexpected{reader.error()};
    readers.push_back(std::move(*reader));
  }

  const TimePoint measure_from = std::chrono::steady_clock::now() + plan.warm_up;
  std::vector<Share> shares(plan.viewers);
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < plan.viewers; ++i) {
      threads.emplace_back([&, i] {
        view(readers[i], Viewer{popularity, plan.seed, i}, measure_from,
             measure_from + plan.duration, stop, shares[i]);
      });
    }
  }

  Measured measured{.took = std::chrono::steady_clock::now() - measure_from};
  if (stop.stop_requested()) return fail(Errc::kCancelled, "the run was called off");
  for (const Share& share : shares) {
    if (!share.outcome) return std::unexpected{share.outcome.error()};
    measured.pages += share.pages;
    measured.latencies.merge(share.latencies);
    measured.serving += share.processor_time;
  }
  measured.queries = measured.pages;  // each page is one
  return measured;
}

}  // namespace larder::demo
