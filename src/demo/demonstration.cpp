#include "demo/demonstration.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "demo/comparison.hpp"
#include "demo/directory_lock.hpp"
#include "demo/library_pages.hpp"
#include "demo/load_driver.hpp"
#include "demo/page_reader.hpp"
#include "demo/prepared_shop.hpp"
#include "demo/processor_time.hpp"
#include "demo/shop_server.hpp"
#include "demo/threaded_viewers.hpp"

namespace larder::demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr double kWarm = 0.98;             // hit ratio from which larder counts as warm
constexpr Duration kWarmingMost = 60s;     // a run that does not get there is measured as it is
constexpr Duration kSlice = 1s;            // of warming, between two looks
constexpr Duration kWarmUp = 1s;           // of SQLite; not measured
constexpr double kPaceOfMost = 0.7;        // of what SQLite alone can: a busy backend
constexpr unsigned kSampledPages = 1'000;  // compared byte by byte
constexpr std::uint32_t kWellKnownProduct = 42;

// The steps of a demonstration, in their order, and what they share.
class Demonstration {
 public:
  Demonstration(const DemonstrationPlan& plan, std::ostream& out, Screen screen,
                const std::stop_token& stop)
      : plan_{plan}, out_{out}, screen_{screen}, stop_{stop}, popularity_{popularity(plan.shop)} {}

  // Before minutes are spent.
  [[nodiscard]] Result<void> check_ports() { return ShopServer::check_ports(server_plan()); }
  [[nodiscard]] Result<void> prepare_shop() {
    return demo::prepare_shop(shop(), plan_.shop, out_, screen_, stop_);
  }
  [[nodiscard]] Result<void> run_sqlite();
  [[nodiscard]] Result<void> start_server();
  [[nodiscard]] Result<void> run_server();
  [[nodiscard]] Result<void> run_library();
  [[nodiscard]] Result<void> compare_pages();
  void show_table();
  [[nodiscard]] Result<void> stay();

 private:
  template <class... Values>
  void say(fmt::format_string<Values...> text, Values&&... values) {
    out_ << fmt::format(text, std::forward<Values>(values)...) << std::endl;
  }

  // A line that says what is being done; what is said next comes behind it.
  template <class... Values>
  void begin(fmt::format_string<Values...> text, Values&&... values) {
    const std::string what = fmt::format(text, std::forward<Values>(values)...);
    out_ << fmt::format("  {:<44}", what) << std::flush;
  }

  [[nodiscard]] fs::path shop() const { return plan_.directory / "shop.db"; }

  [[nodiscard]] ShopServerPlan server_plan() const {
    return {.program = plan_.program,
            .directory = plan_.directory,
            .port = plan_.port,
            .admin_port = plan_.admin_port};
  }
  // Lets viewers look at pages, and knows what that cost.
  using Runner = std::function<Result<Measured>(const Pace&)>;

  [[nodiscard]] Runner server_runner(LoadDriver& driver);
  [[nodiscard]] Runner library_runner(LibraryPages& library, ThreadedViewers& viewers);
  [[nodiscard]] Result<void> measure(std::string_view name, const Runner& run, Way& way);
  [[nodiscard]] Result<void> warm_up(std::string_view name, const Runner& run);

  const DemonstrationPlan& plan_;
  std::ostream& out_;
  const Screen screen_;
  const std::stop_token& stop_;
  const Popularity popularity_;

  std::optional<ShopServer> server_;  // from start_server() on
  Comparison runs_;
};

Result<void> Demonstration::run_sqlite() {
  std::vector<PageFunction> pages;
  for (unsigned i = 0; i < plan_.viewers; ++i) {
    auto reader = PageReader::open(shop());
    if (!reader) return std::unexpected{reader.error()};
    pages.push_back([reader = std::move(*reader)](std::int64_t product) mutable {
      return reader.read(product);
    });
  }
  ThreadedViewers viewers{std::move(pages), popularity_, plan_.shop.seed};
  const Runner run = [&](const Pace& pace) -> Result<Measured> {
    auto seen = viewers.run(pace, stop_);
    if (seen) seen->queries = seen->pages;  // each page is one
    return seen;
  };

  say("{} viewers ask for product pages, popular products more often. Each way to get them is\n"
      "measured twice for {:g} s: as fast as the pages come, and at 70 % of what SQLite alone "
      "can.\n",
      plan_.viewers, std::chrono::duration<double>{plan_.duration}.count());
  if (const auto unseen = run({.duration = kWarmUp}); !unseen) {
    return std::unexpected{unseen.error()};
  }
  return measure("SQLite alone", run, runs_.alone);
}

Result<void> Demonstration::start_server() {
  auto server = ShopServer::start(server_plan(), stop_);
  if (!server) return std::unexpected{server.error()};
  server_.emplace(std::move(*server));
  const Ports usual;
  if (!plan_.port && server_->ports().resp != usual.resp) {
    say("  (port {} is in use: larder takes {})", usual.resp, server_->ports().resp);
  }
  return {};
}

Result<void> Demonstration::run_server() {
  auto driver = LoadDriver::connect(
      {.port = server_->ports().resp, .viewers = plan_.viewers, .seed = plan_.shop.seed},
      popularity_);
  if (!driver) return std::unexpected{driver.error()};
  const Runner run = server_runner(*driver);
  if (auto done = warm_up("larder serve", run); !done) return done;
  return measure("larder serve", run, runs_.server);
}

Result<void> Demonstration::run_library() {
  LibraryPages library{shop()};
  std::vector<PageFunction> pages;
  for (unsigned i = 0; i < plan_.viewers; ++i) pages.push_back(library.pages());
  ThreadedViewers viewers{std::move(pages), popularity_, plan_.shop.seed};
  const Runner run = library_runner(library, viewers);
  if (auto done = warm_up("larder library", run); !done) return done;
  return measure("larder library", run, runs_.library);
}

Demonstration::Runner Demonstration::server_runner(LoadDriver& driver) {
  return [this, &driver](const Pace& pace) -> Result<Measured> {
    const auto queries = server_->queries();
    if (!queries) return std::unexpected{queries.error()};
    const Duration worked = server_->processor_time();
    auto seen = driver.run(pace, stop_);
    if (!seen) {
      if (auto ended = server_->ended(0s)) return std::unexpected{std::move(*ended)};
      return seen;
    }
    seen->serving = server_->processor_time() - worked;
    const auto queries_then = server_->queries();
    if (!queries_then) return std::unexpected{queries_then.error()};
    seen->queries = *queries_then - *queries;
    return seen;
  };
}

Demonstration::Runner Demonstration::library_runner(LibraryPages& library,
                                                    ThreadedViewers& viewers) {
  return [this, &library, &viewers](const Pace& pace) -> Result<Measured> {
    const std::uint64_t queries = library.queries();
    const Duration worked = processor_time(CLOCK_PROCESS_CPUTIME_ID);
    auto seen = viewers.run(pace, stop_);
    if (!seen) return seen;
    seen->serving = processor_time(CLOCK_PROCESS_CPUTIME_ID) - worked;  // loading threads, too
    seen->queries = library.queries() - queries;
    return seen;
  };
}

// At most, then at the pace; the first way decides which pace that is.
Result<void> Demonstration::measure(std::string_view name, const Runner& run, Way& way) {
  begin("{}, as fast as it can", name);
  auto fastest = run({.duration = plan_.duration});
  if (!fastest) return std::unexpected{fastest.error()};
  way.fastest = std::move(*fastest);
  say("{:>9} pages per second", rate_text(way.fastest.pages_per_second()));

  if (runs_.pace <= 0) runs_.pace = std::floor(way.fastest.pages_per_second() * kPaceOfMost);
  begin("{}, {} pages per second", name, rate_text(runs_.pace));
  auto paced = run({.duration = plan_.duration, .pages_per_second = runs_.pace});
  if (!paced) return std::unexpected{paced.error()};
  way.paced = std::move(*paced);
  say("{:>9} at the 99th percentile", short_text(way.paced.latencies.percentile(99)));
  return {};
}

// From an empty memory until nearly all pages are hits.
Result<void> Demonstration::warm_up(std::string_view name, const Runner& run) {
  begin("{}, nothing in memory yet", name);
  const TimePoint start = std::chrono::steady_clock::now();
  double hit_ratio = 0;
  while (hit_ratio < kWarm && std::chrono::steady_clock::now() - start < kWarmingMost) {
    const auto seen = run({.duration = std::min(kSlice, plan_.duration)});
    if (!seen) return std::unexpected{seen.error()};
    hit_ratio = seen->hit_ratio();
  }
  say("{:>9} until {} are hits", short_text(std::chrono::steady_clock::now() - start),
      percent(hit_ratio));
  return {};
}

// Each page as it is, then again after its copy was dropped.
Result<void> Demonstration::compare_pages() {
  auto reader = PageReader::open(shop());
  if (!reader) return std::unexpected{reader.error()};
  Viewer viewer{popularity_, plan_.shop.seed, plan_.viewers};
  for (unsigned i = 0; i < kSampledPages && !stop_.stop_requested(); ++i) {
    const std::int64_t product = viewer.next();
    const auto expected = reader->read(product);
    if (!expected) return std::unexpected{expected.error()};
    for (const std::string_view before : {"EXISTS", "DEL"}) {
      const auto done = server_->client().ask({before, page_key(product)});
      if (!done) return std::unexpected{done.error()};
      const auto page = server_->client().ask({"GET", page_key(product)});
      if (!page) return std::unexpected{page.error()};
      if (*page == *expected) continue;
      return fail(Errc::kInternal,
                  fmt::format("larder's {} is not what SQLite says.\nSQLite: {}\nlarder: {}",
                              page_key(product), *expected, page->value_or("(nothing)")));
    }
  }
  return {};
}

void Demonstration::show_table() {
  say("\n{}", to_table(runs_));
  out_ << to_sentences(runs_);
  say("{} sampled pages, from memory and loaded anew, were byte for byte what SQLite gives.",
      grouped(kSampledPages));
}

Result<void> Demonstration::stay() {
  const Ports& ports = server_->ports();
  say("\nlarder stays up. In another terminal, try:\n"
      "  redis-cli -p {0} GET product:{1:<16} the page of a product\n"
      "  redis-cli -p {0} LARDER EXPLAIN product:{1:<5} where it is, how old, what it cost\n"
      "  redis-cli -p {0} DEL product:{1:<16} forget it: the next GET loads it anew\n"
      "  redis-cli -p {0} SET session:you hello EX 60  a cache without a source\n"
      "  curl http://localhost:{2}/metrics             what larder counts\n"
      "Its configuration is {3}, its log {4}.\n"
      "redis-cli is in Debian's package redis-tools. Ctrl-C ends the demo.",
      ports.resp, std::min(plan_.shop.products, kWellKnownProduct), ports.admin,
      server_->config().string(), server_->log().string());
  const std::stop_callback on_stop{stop_, [this] { server_->terminate(); }};
  Error ended = server_->wait();
  if (!stop_.stop_requested()) return std::unexpected{std::move(ended)};
  say("\nStopped. The shop stays in {} for the next time.", plan_.directory.string());
  return {};
}

}  // namespace

Result<void> demonstrate(const DemonstrationPlan& plan, std::ostream& out, Screen screen,
                         const std::stop_token& stop) {
  // SQLite otherwise counts its memory under one lock of all threads.
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  const auto lock = DirectoryLock::take(plan.directory);
  if (!lock) return std::unexpected{lock.error()};

  Demonstration demonstration{plan, out, screen, stop};
  using Step = Result<void> (Demonstration::*)();
  for (const Step step :
       {&Demonstration::prepare_shop, &Demonstration::run_sqlite, &Demonstration::start_server,
        &Demonstration::run_server, &Demonstration::run_library, &Demonstration::compare_pages}) {
    if (auto done = (demonstration.*step)(); !done) return done;
    if (stop.stop_requested()) return fail(Errc::kCancelled, "the demo was stopped");
  }
  demonstration.show_table();
  return plan.once ? Result<void>{} : demonstration.stay();
}

}  // namespace larder::demo
