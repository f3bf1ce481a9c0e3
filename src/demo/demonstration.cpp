#include "demo/demonstration.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "demo/comparison.hpp"
#include "demo/directory_lock.hpp"
#include "demo/load_driver.hpp"
#include "demo/shop_server.hpp"
#include "demo/straight.hpp"

namespace larder::demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr double kWarm = 0.99;             // hit ratio from which larder counts as warm
constexpr Duration kWarmingMost = 60s;     // a run that does not get there is measured as it is
constexpr Duration kSlice = 1s;            // of warming, between two looks
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
  [[nodiscard]] Result<void> prepare_shop();
  [[nodiscard]] Result<void> run_straight();
  [[nodiscard]] Result<void> start_server();
  [[nodiscard]] Result<void> run_larder();
  [[nodiscard]] Result<void> compare_pages();
  void show_table();
  [[nodiscard]] Result<void> stay();

 private:
  template <class... Values>
  void say(fmt::format_string<Values...> text, Values&&... values) {
    out_ << fmt::format(text, std::forward<Values>(values)...) << std::endl;
  }

  // A line that says what is being measured, and when it is done what came of it.
  template <class... Values>
  void begin(fmt::format_string<Values...> text, Values&&... values) {
    const std::string what = fmt::format(text, std::forward<Values>(values)...);
    out_ << fmt::format("  {:<44}", what) << std::flush;
  }
  [[nodiscard]] Result<void> finish(Result<Measured> measured, Measured& run) {
    if (!measured) {
      out_ << std::endl;
      return std::unexpected{std::move(measured.error())};
    }
    run = std::move(*measured);
    say("{:>10} pages per second",
        grouped(static_cast<std::uint64_t>(std::llround(run.pages_per_second()))));
    return {};
  }

  [[nodiscard]] fs::path shop() const { return plan_.directory / "shop.db"; }

  [[nodiscard]] ShopServerPlan server_plan() const {
    return {.program = plan_.program,
            .directory = plan_.directory,
            .port = plan_.port,
            .admin_port = plan_.admin_port};
  }
  [[nodiscard]] Result<void> warm_up(LoadDriver& driver);
  [[nodiscard]] Result<Measured> measure(LoadDriver& driver, Duration duration);

  const DemonstrationPlan& plan_;
  std::ostream& out_;
  const Screen screen_;
  const std::stop_token& stop_;
  const Popularity popularity_;

  std::optional<ShopServer> server_;  // from start_server() on
  Comparison runs_;
};

Result<void> Demonstration::prepare_shop() {
  const ShopPlan& wanted = plan_.shop;
  const std::string size =
      fmt::format("{} products and {} reviews", grouped(wanted.products), grouped(wanted.reviews));
  const Found found = look_for_shop(shop(), wanted);
  if (found == Found::kThisShop) {
    say("A shop with {}: {}, kept from an earlier run.", size, shop().string());
    return {};
  }
  if (found == Found::kForeign) {
    return fail(Errc::kRefused, shop().string() +
                                    " is no shop that `larder demo` made, and stays "
                                    "as it is: move it, or name another --directory");
  }
  const TimePoint start = std::chrono::steady_clock::now();
  {
    ProgressBar bar{out_, screen_, "Building the shop", steady_clock()};
    auto built = build_shop(
        shop(), wanted, [&](std::uint64_t done, std::uint64_t total) { bar.show(done, total); },
        stop_);
    if (!built) return built;
  }
  say("A shop with {}: {}, built in {}.", size, shop().string(),
      short_text(std::chrono::steady_clock::now() - start));
  return {};
}

Result<void> Demonstration::run_straight() {
  say("{} viewers ask for product pages, each for one at a time, popular products more often;\n"
      "{:g} seconds of it measured:\n",
      plan_.viewers, std::chrono::duration<double>{plan_.duration}.count());
  const StraightPlan straight{
      .viewers = plan_.viewers, .duration = plan_.duration, .seed = plan_.shop.seed};
  begin("SQLite alone");
  return finish(demo::run_straight(shop(), popularity_, straight, stop_), runs_.straight);
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

Result<void> Demonstration::run_larder() {
  auto driver = LoadDriver::connect(
      {.port = server_->ports().resp, .viewers = plan_.viewers, .seed = plan_.shop.seed},
      popularity_);
  if (!driver) return std::unexpected{driver.error()};

  begin("larder, cold: nothing in memory at first");
  if (auto done = finish(measure(*driver, plan_.duration), runs_.cold); !done) return done;
  if (auto done = warm_up(*driver); !done) return done;
  begin("larder, warm");
  return finish(measure(*driver, plan_.duration), runs_.warm);
}

Result<void> Demonstration::warm_up(LoadDriver& driver) {
  if (runs_.cold.hit_ratio() >= kWarm) return {};
  begin("larder, until {:.0f} % of the pages are hits", kWarm * 100);
  const TimePoint start = std::chrono::steady_clock::now();
  double hit_ratio = runs_.cold.hit_ratio();
  std::uint64_t pages = 0;
  while (hit_ratio < kWarm && std::chrono::steady_clock::now() - start < kWarmingMost) {
    const auto slice = measure(driver, std::min(kSlice, plan_.duration));
    if (!slice) {
      out_ << std::endl;
      return std::unexpected{slice.error()};
    }
    hit_ratio = slice->hit_ratio();
    pages += slice->pages;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  say("{:>10} pages in {:.0f} s", grouped(pages), took.count());
  return {};
}

// A run with the queries that the server made meanwhile.
Result<Measured> Demonstration::measure(LoadDriver& driver, Duration duration) {
  const auto before = server_->queries();
  if (!before) return std::unexpected{before.error()};
  const Duration worked = server_->processor_time();
  auto measured = driver.run(duration, stop_);
  if (!measured) {
    if (const auto ended = server_->ended(0s)) return std::unexpected{*ended};
    return measured;
  }
  const auto after = server_->queries();
  if (!after) return std::unexpected{after.error()};
  measured->queries = *after - *before;
  measured->serving = server_->processor_time() - worked;
  return measured;
}

// Each page as it is, then again after its copy was dropped.
Result<void> Demonstration::compare_pages() {
  auto reader = PageReader::open(shop());
  if (!reader) return std::unexpected{reader.error()};
  Viewer viewer{popularity_, plan_.shop.seed, plan_.viewers};
  std::string expected;
  for (unsigned i = 0; i < kSampledPages && !stop_.stop_requested(); ++i) {
    const std::int64_t product = viewer.next();
    const std::string key = page_key(product);
    const auto found = reader->read(product, expected);
    if (!found) return std::unexpected{found.error()};
    for (const std::string_view before : {"EXISTS", "DEL"}) {
      if (const auto done = server_->client().ask({before, key}); !done)
        return std::unexpected{done.error()};
      const auto page = server_->client().ask({"GET", key});
      if (!page) return std::unexpected{page.error()};
      if (*page == expected) continue;
      return fail(Errc::kInternal, "larder's " + key + " is not what SQLite says.\nSQLite: " +
                                       expected + "\nlarder: " + page->value_or("(nothing)"));
    }
  }
  return {};
}

void Demonstration::show_table() {
  say("\n{}", to_table(runs_));
  say("{}", to_sentence(runs_));
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
       {&Demonstration::prepare_shop, &Demonstration::run_straight, &Demonstration::start_server,
        &Demonstration::run_larder, &Demonstration::compare_pages}) {
    if (auto done = (demonstration.*step)(); !done) return done;
    if (stop.stop_requested()) return fail(Errc::kCancelled, "the demo was stopped");
  }
  demonstration.show_table();
  return plan.once ? Result<void>{} : demonstration.stay();
}

}  // namespace larder::demo
