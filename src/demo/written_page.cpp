#include "demo/written_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "demo/comparison.hpp"
#include "demo/directory_lock.hpp"
#include "demo/histogram.hpp"
#include "demo/postgres_server.hpp"
#include "demo/shop_server.hpp"
#include "demo/workload.hpp"
#include "demo/written_shop.hpp"

namespace larder::demo {
namespace {

constexpr std::int64_t kProduct = 42;

// Of a page, as JSON.
Result<std::int64_t> price_of(std::string_view page) {
  constexpr std::string_view kField = "\"price_cents\":";
  const std::size_t at = page.find(kField);
  std::int64_t price = 0;
  if (at != std::string_view::npos) {
    const char* const first = page.data() + at + kField.size();
    if (std::from_chars(first, page.data() + page.size(), price).ec == std::errc{}) return price;
  }
  return fail(Errc::kBadValue, "a page without a price: " + std::string{page});
}

std::string priced(std::int64_t cents) { return fmt::format(R"({{"price_cents":{}}})", cents); }

// What one reader, or the writer, has seen.
struct Seen {
  std::uint64_t count = 0;
  std::uint64_t late = 0;  // pages with an older price than was acknowledged before they were asked
  Histogram latencies{};
};

// The steps of the demonstration, in their order, and what they share.
class WrittenPage {
 public:
  WrittenPage(const DemonstrationPlan& plan, std::ostream& out, const std::stop_token& stop)
      : plan_{plan},
        out_{out},
        stop_{stop},
        product_{std::min<std::int64_t>(kProduct, plan.shop.products)} {}

  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> start();
  [[nodiscard]] Result<void> write_while_read();
  [[nodiscard]] Result<void> compare_with_database();
  [[nodiscard]] Result<void> be_refused();
  [[nodiscard]] Result<void> stay();

 private:
  template <class... Values>
  void say(fmt::format_string<Values...> text, Values&&... values) {
    out_ << fmt::format(text, std::forward<Values>(values)...) << std::endl;
  }
  [[nodiscard]] Result<Seen> write(RespClient& client, TimePoint end);
  [[nodiscard]] Result<Seen> read(TimePoint end) const;

  const DemonstrationPlan& plan_;
  std::ostream& out_;
  const std::stop_token& stop_;
  const std::int64_t product_;

  std::optional<PostgresServer> database_;  // from prepare() on
  std::optional<ShopServer> server_;        // from start() on; ends before the database
  std::atomic<std::int64_t> price_{1};      // the last that was acknowledged
};

Result<void> WrittenPage::prepare() {
  if (auto found = PostgresServer::look(); !found) return found;
  const TimePoint start = std::chrono::steady_clock::now();
  auto database = PostgresServer::start(plan_.directory, stop_);
  if (!database) return std::unexpected{database.error()};
  database_.emplace(std::move(*database));
  if (auto made = database_->run(written_shop(plan_.shop)); !made) {
    return std::unexpected{made.error()};
  }
  say("A PostgreSQL of its own, with {} products and {} reviews, made in {}.",
      grouped(plan_.shop.products), grouped(plan_.shop.reviews),
      short_text(std::chrono::steady_clock::now() - start));
  return {};
}

Result<void> WrittenPage::start() {
  auto server = ShopServer::start({.program = plan_.program,
                                   .directory = plan_.directory,
                                   .port = plan_.port,
                                   .admin_port = plan_.admin_port,
                                   .name = "postgres",
                                   .postgres_url = database_->url()},
                                  stop_);
  if (!server) return std::unexpected{server.error()};
  server_.emplace(std::move(*server));
  say("`larder serve` on port {} writes product pages through to it.\n", server_->ports().resp);
  return {};
}

// A price after the other, each higher by a cent, so that an older one is known.
Result<Seen> WrittenPage::write(RespClient& client, TimePoint end) {
  Seen seen;
  while (std::chrono::steady_clock::now() < end && !stop_.stop_requested()) {
    const std::int64_t price = price_.load(std::memory_order_relaxed) + 1;
    const TimePoint start = std::chrono::steady_clock::now();
    const auto done = client.ask({"SET", page_key(product_), priced(price)});
    if (!done) return std::unexpected{done.error()};
    price_.store(price, std::memory_order_release);
    seen.latencies.record(std::chrono::steady_clock::now() - start);
    ++seen.count;
  }
  return seen;
}

Result<Seen> WrittenPage::read(TimePoint end) const {
  auto client = RespClient::connect(server_->ports().resp);
  if (!client) return std::unexpected{client.error()};
  Seen seen;
  while (std::chrono::steady_clock::now() < end && !stop_.stop_requested()) {
    const std::int64_t acknowledged = price_.load(std::memory_order_acquire);
    const TimePoint start = std::chrono::steady_clock::now();
    const auto page = client->ask({"GET", page_key(product_)});
    if (!page) return std::unexpected{page.error()};
    const auto price = price_of(page->value_or("nothing"));
    if (!price) return std::unexpected{price.error()};
    seen.latencies.record(std::chrono::steady_clock::now() - start);
    ++seen.count;
    if (*price < acknowledged) ++seen.late;
  }
  return seen;
}

Result<void> WrittenPage::write_while_read() {
  say("1. One page, written while it is read\n"
      "   A writer sets the price of product {} again and again, and {} readers ask for its page.",
      product_, plan_.viewers);
  const auto set = server_->client().ask({"SET", page_key(product_), priced(price_)});
  if (!set) return std::unexpected{set.error()};
  const auto before = server_->queries();
  if (!before) return std::unexpected{before.error()};

  const TimePoint end = std::chrono::steady_clock::now() + plan_.duration;
  std::vector<Result<Seen>> read(plan_.viewers);
  Result<Seen> written;
  {
    std::vector<std::jthread> readers;
    for (auto& own : read) readers.emplace_back([&own, end, this] { own = this->read(end); });
    written = write(server_->client(), end);
  }
  if (!written) return std::unexpected{written.error()};
  Seen all;
  for (const Result<Seen>& each : read) {
    if (!each) return std::unexpected{each.error()};
    all.count += each->count;
    all.late += each->late;
    all.latencies.merge(each->latencies);
  }
  const auto after = server_->queries();
  if (!after) return std::unexpected{after.error()};
  say("   {} prices were acknowledged, {} each (median), and the page read {} times, {} each;\n"
      "   {} of the reads asked PostgreSQL.\n"
      "   Pages with an older price than was acknowledged before they were asked for: {}.\n",
      grouped(written->count), short_text(written->latencies.percentile(50)), grouped(all.count),
      short_text(all.latencies.percentile(50)), grouped(*after - *before), grouped(all.late));
  if (all.late == 0) return {};
  return fail(Errc::kInternal, "a page was read that was older than what had been acknowledged");
}

Result<void> WrittenPage::compare_with_database() {
  say("2. What is kept is what the database holds");
  const auto page = server_->client().ask({"GET", page_key(product_)});
  if (!page) return std::unexpected{page.error()};
  const auto kept = price_of(page->value_or("nothing"));
  if (!kept) return std::unexpected{kept.error()};
  const auto row =
      database_->run(fmt::format("SELECT price_cents FROM products WHERE id = {}", product_));
  if (!row) return std::unexpected{row.error()};
  say("   The last price is {} at larder and {} in PostgreSQL. SET said the price alone, and the\n"
      "   page has its name and its reviews.\n",
      *kept, *row);
  if (*row == std::to_string(*kept)) return {};
  return fail(Errc::kInternal, "larder and PostgreSQL do not have the same price");
}

Result<void> WrittenPage::be_refused() {
  say("3. What the database refuses is nowhere\n"
      "   SET {} '{}' says:",
      page_key(product_), priced(-1));
  const auto refused = server_->client().ask({"SET", page_key(product_), priced(-1)});
  if (refused) return fail(Errc::kInternal, "a price below zero was taken");
  const auto page = server_->client().ask({"GET", page_key(product_)});
  if (!page) return std::unexpected{page.error()};
  const auto kept = price_of(page->value_or("nothing"));
  if (!kept) return std::unexpected{kept.error()};
  say("     {}\n   and the page still has the price {}.", refused.error().message, *kept);
  return {};
}

Result<void> WrittenPage::stay() {
  const Ports& ports = server_->ports();
  say("\nBoth stay up. In another terminal, try:\n"
      "  redis-cli -p {0} SET {1} '{2}'\n"
      "  redis-cli -p {0} GET {1}\n"
      "  redis-cli -p {0} LARDER EXPLAIN {1}\n"
      "  psql '{3}' -c 'SELECT * FROM products WHERE id = {4}'\n"
      "  curl http://localhost:{5}/metrics          larder_cache_writes_…\n"
      "Configuration and log: {6}, {7}. Ctrl-C ends the demo, and the database with it.",
      ports.resp, page_key(product_), priced(1'999), database_->url(), product_, ports.admin,
      server_->config().string(), server_->log().string());
  const std::stop_callback on_stop{stop_, [this] { server_->terminate(); }};
  Error ended = server_->wait();
  if (!stop_.stop_requested()) return std::unexpected{std::move(ended)};
  say("\nStopped.");
  return {};
}

}  // namespace

Result<void> demonstrate_postgres(const DemonstrationPlan& plan, std::ostream& out, Screen,
                                  const std::stop_token& stop) {
  const auto lock = DirectoryLock::take(plan.directory);
  if (!lock) return std::unexpected{lock.error()};

  WrittenPage page{plan, out, stop};
  using Step = Result<void> (WrittenPage::*)();
  for (const Step step :
       {&WrittenPage::prepare, &WrittenPage::start, &WrittenPage::write_while_read,
        &WrittenPage::compare_with_database, &WrittenPage::be_refused}) {
    if (auto done = (page.*step)(); !done) return done;
    if (stop.stop_requested()) return fail(Errc::kCancelled, "the demo was stopped");
  }
  return plan.once ? Result<void>{} : page.stay();
}

}  // namespace larder::demo
