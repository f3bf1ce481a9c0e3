#include "demo/fleet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "demo/comparison.hpp"
#include "demo/database.hpp"
#include "demo/directory_lock.hpp"
#include "demo/free_port.hpp"
#include "demo/histogram.hpp"
#include "demo/page_reader.hpp"
#include "demo/prepared_shop.hpp"
#include "demo/redis_server.hpp"
#include "demo/shop_server.hpp"
#include "demo/workload.hpp"

namespace larder::demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::size_t kServers = 3;
constexpr std::uint16_t kUsualRedisPort = 6390;  // 6379 may be somebody's
constexpr std::uint32_t kSharedPages = 1'000;    // that all are asked for
constexpr std::uint32_t kChanges = 100;          // of prices
constexpr Duration kToHearMost = 10s;            // of an invalidation, before it counts as lost
constexpr Duration kToTrustMost = 30s;           // Redis again, likewise

// What one server was asked for.
struct Asked {
  std::uint64_t pages = 0;
  Histogram latencies{};
};

// The steps of the demonstration, in their order, and what they share.
class Fleet {
 public:
  Fleet(const DemonstrationPlan& plan, std::ostream& out, Screen screen,
        const std::stop_token& stop)
      : plan_{plan}, out_{out}, screen_{screen}, stop_{stop}, popularity_{popularity(plan.shop)} {}

  [[nodiscard]] Result<void> prepare() {
    if (auto found = RedisServer::look(); !found) return found;
    return prepare_shop(shop(), plan_.shop, out_, screen_, stop_);
  }
  [[nodiscard]] Result<void> start();
  [[nodiscard]] Result<void> load_once();
  [[nodiscard]] Result<void> invalidate();
  [[nodiscard]] Result<void> lose_redis();
  [[nodiscard]] Result<void> regain_redis();
  [[nodiscard]] Result<void> stay();

 private:
  template <class... Values>
  void say(fmt::format_string<Values...> text, Values&&... values) {
    out_ << fmt::format(text, std::forward<Values>(values)...) << std::endl;
  }

  [[nodiscard]] fs::path shop() const { return plan_.directory / "shop.db"; }

  // Lets each server be asked on a thread of its own; the sum of it.
  using Asker = std::function<Result<Asked>(RespClient& client, std::uint32_t server)>;
  [[nodiscard]] Result<Asked> ask_all(const Asker& asker);
  // The queries that all servers together have put to SQLite since their start.
  [[nodiscard]] Result<std::uint64_t> queries();
  // Asks each server for the pages of `count` products from `first` on; the queries it took.
  [[nodiscard]] Result<std::uint64_t> queries_for(std::int64_t first, std::uint32_t count);
  [[nodiscard]] Result<void> set_price(Statement& update, std::int64_t product, int by);
  [[nodiscard]] Result<Duration> change_price(Statement& update, PageReader& reader,
                                              std::int64_t product, int by);

  const DemonstrationPlan& plan_;
  std::ostream& out_;
  const Screen screen_;
  const std::stop_token& stop_;
  const Popularity popularity_;

  std::optional<RedisServer> redis_;  // from start() on
  std::vector<ShopServer> servers_;   // likewise
  int raised_ = 0;                    // cents, of the price that is being changed
};

// The page of `product`, which must be there; how long it took is recorded.
Result<std::string> ask_for_page(RespClient& client, std::int64_t product, Asked& asked) {
  const TimePoint start = std::chrono::steady_clock::now();
  auto page = client.ask({"GET", page_key(product)});
  if (!page) return std::unexpected{std::move(page.error())};
  if (!*page) return fail(Errc::kInternal, "larder has no " + page_key(product));
  asked.latencies.record(std::chrono::steady_clock::now() - start);
  ++asked.pages;
  return std::move(**page);
}

Result<void> Fleet::start() {
  const bool any_port = plan_.port == 0;
  const auto port =
      free_port(any_port ? std::optional<std::uint16_t>{0} : std::nullopt, kUsualRedisPort);
  if (!port) return std::unexpected{port.error()};
  auto redis = RedisServer::start(plan_.directory, *port, stop_);
  if (!redis) return std::unexpected{redis.error()};
  redis_.emplace(std::move(*redis));

  for (std::size_t i = 0; i < kServers; ++i) {
    const bool named = i == 0 || any_port;
    auto server = ShopServer::start({.program = plan_.program,
                                     .directory = plan_.directory,
                                     .port = named ? plan_.port : std::nullopt,
                                     .admin_port = named ? plan_.admin_port : std::nullopt,
                                     .name = std::to_string(i + 1),
                                     .shared_url = redis_->url()},
                                    stop_);
    if (!server) return std::unexpected{server.error()};
    servers_.push_back(std::move(*server));
  }
  say("A Redis on port {}, and over it three `larder serve` on the ports {}, {} and {}.\n",
      redis_->port(), servers_[0].ports().resp, servers_[1].ports().resp, servers_[2].ports().resp);
  return {};
}

Result<Asked> Fleet::ask_all(const Asker& asker) {
  std::vector<Result<Asked>> answers(servers_.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      threads.emplace_back(
          [&, i] { answers[i] = asker(servers_[i].client(), static_cast<std::uint32_t>(i)); });
    }
  }
  Asked all;
  for (const Result<Asked>& each : answers) {
    if (!each) return std::unexpected{each.error()};
    all.pages += each->pages;
    all.latencies.merge(each->latencies);
  }
  if (stop_.stop_requested()) return fail(Errc::kCancelled, "the demo was stopped");
  return all;
}

Result<std::uint64_t> Fleet::queries() {
  std::uint64_t all = 0;
  for (ShopServer& server : servers_) {
    const auto each = server.queries();
    if (!each) return each;
    all += *each;
  }
  return all;
}

Result<std::uint64_t> Fleet::queries_for(std::int64_t first, std::uint32_t count) {
  const auto before = queries();
  if (!before) return before;
  const auto asked = ask_all([&](RespClient& client, std::uint32_t) -> Result<Asked> {
    Asked seen;
    for (std::uint32_t i = 0; i < count && !stop_.stop_requested(); ++i) {
      const auto page = ask_for_page(client, first + i, seen);
      if (!page) return std::unexpected{page.error()};
    }
    return seen;
  });
  if (!asked) return std::unexpected{asked.error()};
  const auto after = queries();
  if (!after) return after;
  return *after - *before;
}

Result<void> Fleet::load_once() {
  const std::uint32_t pages = std::min(kSharedPages, std::max(plan_.shop.products / 4, 1U));
  say("1. One query for all\n"
      "   Each is asked for the same {} pages, at the same time.",
      grouped(pages));
  const auto loads = queries_for(1, pages);
  if (!loads) return std::unexpected{loads.error()};
  say("   {} answers cost SQLite {} queries.\n", grouped(std::uint64_t{pages} * kServers),
      grouped(*loads));
  return {};
}

Result<void> Fleet::set_price(Statement& update, std::int64_t product, int by) {
  update.bind(1, std::int64_t{by});
  update.bind(2, product);
  auto changed = update.run();
  if (changed) raised_ += by;
  return changed;
}

// Until all servers show it; how long that took since DEL was answered.
Result<Duration> Fleet::change_price(Statement& update, PageReader& reader, std::int64_t product,
                                     int by) {
  Asked unused;
  for (ShopServer& server : servers_) {
    const auto kept = ask_for_page(server.client(), product, unused);
    if (!kept) return std::unexpected{kept.error()};
  }
  if (auto changed = set_price(update, product, by); !changed) {
    return std::unexpected{changed.error()};
  }
  const auto page = reader.read(product);
  if (!page) return std::unexpected{page.error()};
  const auto told = servers_.front().client().ask({"DEL", page_key(product)});
  if (!told) return std::unexpected{told.error()};

  const TimePoint start = std::chrono::steady_clock::now();
  for (ShopServer& server : servers_) {
    for (;;) {
      const auto shown = ask_for_page(server.client(), product, unused);
      if (!shown) return std::unexpected{shown.error()};
      if (*shown == *page) break;
      if (std::chrono::steady_clock::now() - start < kToHearMost) continue;
      return fail(Errc::kInternal,
                  fmt::format("port {} still shows the old {} after {}", server.ports().resp,
                              page_key(product), short_text(kToHearMost)));
    }
  }
  return std::chrono::steady_clock::now() - start;
}

Result<void> Fleet::invalidate() {
  auto database = Database::open(shop().string(), Database::Mode::kExisting);
  if (!database) return std::unexpected{database.error()};
  auto update =
      database->prepare("UPDATE products SET price_cents = price_cents + ?1 WHERE id = ?2");
  if (!update) return std::unexpected{update.error()};
  auto reader = PageReader::open(shop());
  if (!reader) return std::unexpected{reader.error()};

  const std::uint32_t products = std::min(kChanges / 2, plan_.shop.products);
  say("2. An invalidation is everybody's\n"
      "   {} times all have a page in memory, its price changes in SQLite, and DEL is said to the\n"
      "   first server alone.",
      products * 2);
  Histogram heard;
  for (std::int64_t product = 1; product <= products && !stop_.stop_requested(); ++product) {
    for (const int by : {1, -1}) {  // so that the shop is what it was
      const auto took = change_price(*update, *reader, product, by);
      if (!took) {
        if (raised_ != 0) (void)set_price(*update, product, -raised_);  // it is `took` that is told
        return std::unexpected{took.error()};
      }
      heard.record(*took);
    }
  }
  say("   All three answer the new page {} later (median; {} at most).\n",
      short_text(heard.percentile(50)), short_text(heard.percentile(100)));
  return {};
}

Result<void> Fleet::lose_redis() {
  say("3. Redis is killed\n"
      "   While all are asked for pages, popular ones more often, it gets SIGKILL.");
  const auto before = queries();
  if (!before) return std::unexpected{before.error()};
  const TimePoint end = std::chrono::steady_clock::now() + plan_.duration;
  std::jthread killer{[&, at = end - plan_.duration * 2 / 3] {
    std::this_thread::sleep_until(at);  // in the midst of it
    redis_->kill();
  }};
  const auto asked = ask_all([&](RespClient& client, std::uint32_t server) -> Result<Asked> {
    Asked seen;
    Viewer viewer{popularity_, plan_.shop.seed, server};
    while (std::chrono::steady_clock::now() < end && !stop_.stop_requested()) {
      const auto page = ask_for_page(client, viewer.next(), seen);
      if (!page) return std::unexpected{page.error()};
    }
    return seen;
  });
  killer.join();
  if (!asked) return std::unexpected{asked.error()};
  const auto after = queries();
  if (!after) return std::unexpected{after.error()};
  say("   All {} pages of {:g} s came, {} of them from SQLite; the slowest took {}.\n",
      grouped(asked->pages), std::chrono::duration<double>{plan_.duration}.count(),
      grouped(*after - *before), short_text(asked->latencies.percentile(100)));
  return {};
}

// The servers share again once a page that none has in memory costs one query.
Result<void> Fleet::regain_redis() {
  say("4. Redis is back\n"
      "   It was started again, and is empty.");
  if (auto restarted = redis_->restart(stop_); !restarted) return restarted;
  const TimePoint start = std::chrono::steady_clock::now();
  constexpr std::int64_t kProduct = 1;
  for (std::uint64_t loads = 0; loads != 1;) {
    if (std::chrono::steady_clock::now() - start > kToTrustMost) {
      return fail(Errc::kInternal, "the servers do not share again after " +
                                       short_text(kToTrustMost) + ": see " +
                                       servers_.front().log().string());
    }
    if (auto ended = servers_.front().ended(20ms)) return std::unexpected{std::move(*ended)};
    for (ShopServer& server : servers_) {
      const auto dropped = server.client().ask({"DEL", page_key(kProduct)});
      if (!dropped) return std::unexpected{dropped.error()};
    }
    const auto seen = queries_for(kProduct, 1);
    if (!seen) return std::unexpected{seen.error()};
    loads = *seen;
  }
  say("   {} later one query answers all three again.",
      short_text(std::chrono::steady_clock::now() - start));
  return {};
}

Result<void> Fleet::stay() {
  const std::uint16_t first = servers_.front().ports().resp;
  const std::uint16_t last = servers_.back().ports().resp;
  say("\nAll stay up. In another terminal, try:\n"
      "  redis-cli -p {0} GET product:42\n"
      "  redis-cli -p {1} LARDER EXPLAIN product:42  loaded by one, known to all\n"
      "  redis-cli -p {0} DEL product:42             forgotten by all\n"
      "  redis-cli -p {2} SHUTDOWN NOSAVE            the pages still come\n"
      "  curl http://localhost:{3}/metrics           larder_shared_…\n"
      "Configurations and logs: {4}, {5} and so on. Ctrl-C ends the demo.",
      first, last, redis_->port(), servers_.front().ports().admin,
      servers_.front().config().string(), servers_.front().log().string());
  const std::stop_callback on_stop{stop_, [this] {
                                     for (const ShopServer& each : servers_) each.terminate();
                                   }};
  Error ended = servers_.front().wait();
  if (!stop_.stop_requested()) return std::unexpected{std::move(ended)};
  say("\nStopped. The shop stays in {} for the next time.", plan_.directory.string());
  return {};
}

}  // namespace

Result<void> demonstrate_fleet(const DemonstrationPlan& plan, std::ostream& out, Screen screen,
                               const std::stop_token& stop) {
  const auto lock = DirectoryLock::take(plan.directory);
  if (!lock) return std::unexpected{lock.error()};

  Fleet fleet{plan, out, screen, stop};
  using Step = Result<void> (Fleet::*)();
  for (const Step step : {&Fleet::prepare, &Fleet::start, &Fleet::load_once, &Fleet::invalidate,
                          &Fleet::lose_redis, &Fleet::regain_redis}) {
    if (auto done = (fleet.*step)(); !done) return done;
    if (stop.stop_requested()) return fail(Errc::kCancelled, "the demo was stopped");
  }
  return plan.once ? Result<void>{} : fleet.stay();
}

}  // namespace larder::demo
