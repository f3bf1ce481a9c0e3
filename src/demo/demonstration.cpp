#include "demo/demonstration.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "demo/child.hpp"
#include "demo/comparison.hpp"
#include "demo/free_port.hpp"
#include "demo/load_driver.hpp"
#include "demo/resp_client.hpp"
#include "demo/shop_config.hpp"
#include "demo/straight.hpp"

namespace larder::demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr double kWarm = 0.98;             // hit ratio from which larder counts as warm
constexpr Duration kWarmingMost = 60s;     // a run that does not get there is measured as it is
constexpr Duration kSlice = 1s;            // of warming, between two looks
constexpr unsigned kSampledPages = 1'000;  // compared byte by byte
constexpr Duration kStartingMost = 30s;    // of the server
constexpr unsigned kStarts = 3;            // when others are faster to take a free port
constexpr std::uint16_t kUsualPort = 6380;
constexpr std::uint16_t kUsualAdminPort = 9380;

// Two demos in one directory would pull the shop from under each other.
class DirectoryLock {
 public:
  [[nodiscard]] static Result<DirectoryLock> take(const fs::path& directory) {
    const fs::path file = directory / ".lock";
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) {
      return fail(Errc::kRefused, "writing into " + directory.string() + " failed: " +
                                      std::strerror(errno) + ". Name another with --directory");
    }
    DirectoryLock lock{descriptor};
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
    return fail(Errc::kRefused, "another `larder demo` is using " + directory.string() +
                                    ": end it, or name another with --directory");
  }
  DirectoryLock(DirectoryLock&& other) noexcept
      : descriptor_{std::exchange(other.descriptor_, -1)} {}
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  explicit DirectoryLock(int descriptor) : descriptor_{descriptor} {}
  int descriptor_;
};

// The steps of a demonstration, in their order, and what they share.
class Demonstration {
 public:
  Demonstration(const DemonstrationPlan& plan, std::ostream& out, Screen screen,
                const std::stop_token& stop)
      : plan_{plan}, out_{out}, screen_{screen}, stop_{stop}, popularity_{popularity(plan.shop)} {}

  [[nodiscard]] Result<void> check_ports() const;
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
    out_ << fmt::format("  {:<46}", what) << std::flush;
  }
  [[nodiscard]] Result<void> finish(Result<Measured> measured, Measured& run) {
    if (!measured) {
      out_ << std::endl;
      return std::unexpected{std::move(measured.error())};
    }
    run = std::move(*measured);
    say("{:>8} pages per second",
        grouped(static_cast<std::uint64_t>(std::llround(run.pages_per_second()))));
    return {};
  }

  [[nodiscard]] fs::path shop() const { return plan_.directory / "shop.db"; }
  [[nodiscard]] fs::path config() const { return plan_.directory / "larder.toml"; }
  [[nodiscard]] fs::path log() const { return plan_.directory / "serve.log"; }

  [[nodiscard]] Result<void> choose_ports();
  [[nodiscard]] Result<void> write_config() const;
  [[nodiscard]] Result<void> start_once();
  [[nodiscard]] Result<Measured> measure(LoadDriver& driver, Duration duration);
  [[nodiscard]] Result<std::uint64_t> queries();
  [[nodiscard]] std::string last_words() const;

  const DemonstrationPlan& plan_;
  std::ostream& out_;
  const Screen screen_;
  const std::stop_token& stop_;
  const Popularity popularity_;

  Ports ports_;
  std::optional<Child> server_;
  std::optional<RespClient> client_;
  Comparison runs_;
};

// Before minutes are spent: whether the ports that were named can be had.
Result<void> Demonstration::check_ports() const {
  for (const auto& wanted : {plan_.port, plan_.admin_port}) {
    if (!wanted) continue;
    if (const auto port = free_port(wanted, *wanted); !port) return std::unexpected{port.error()};
  }
  return {};
}

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
  Result<void> started;
  for (unsigned i = 0; i < kStarts; ++i) {
    if (auto chosen = choose_ports(); !chosen) return chosen;
    if (auto written = write_config(); !written) return written;
    started = start_once();
    if (started || plan_.port.value_or(0) != 0) break;
  }
  return started;
}

Result<void> Demonstration::choose_ports() {
  const auto port = free_port(plan_.port, kUsualPort);
  if (!port) return std::unexpected{port.error()};
  const auto admin = free_port(plan_.admin_port, kUsualAdminPort);
  if (!admin) return std::unexpected{admin.error()};
  ports_ = {.resp = *port, .admin = *admin};
  if (!plan_.port && *port != kUsualPort) {
    say("Port {} is in use: larder takes {}.", kUsualPort, *port);
  }
  return {};
}

Result<void> Demonstration::write_config() const {
  const fs::path file = config();
  std::ofstream text{file, std::ios::trunc};
  text << shop_config(ports_);
  text.close();
  if (text) return {};
  return fail(Errc::kRefused, "writing " + file.string() + " failed: " + std::strerror(errno));
}

// Starts the server and waits until it answers.
Result<void> Demonstration::start_once() {
  server_.reset();
  auto server = Child::start(plan_.program, {"serve", "--config", config().string()}, log());
  if (!server) return std::unexpected{server.error()};
  server_.emplace(std::move(*server));

  const TimePoint give_up = std::chrono::steady_clock::now() + kStartingMost;
  while (std::chrono::steady_clock::now() < give_up && !stop_.stop_requested()) {
    if (auto client = RespClient::connect(ports_.resp)) {
      client_.emplace(std::move(*client));
      auto pong = client_->ask({"PING"});
      if (!pong) return std::unexpected{pong.error()};
      return {};
    }
    // Its end would be an event; its listening is none that we could wait for.
    if (const auto ended = server_->wait(10ms)) {
      return fail(Errc::kSourceFailed,
                  fmt::format("`larder serve` ended with exit code {}:\n{}", *ended, last_words()));
    }
  }
  if (stop_.stop_requested()) return fail(Errc::kCancelled, "starting the server was called off");
  return fail(Errc::kTimeout, fmt::format("`larder serve` did not answer for {}:\n{}",
                                          short_text(kStartingMost), last_words()));
}

Result<void> Demonstration::run_larder() {
  auto driver = LoadDriver::connect(
      {.port = ports_.resp, .viewers = plan_.viewers, .seed = plan_.shop.seed}, popularity_);
  if (!driver) return std::unexpected{driver.error()};

  begin("larder, cold: its memory is empty at first");
  if (auto done = finish(measure(*driver, plan_.duration), runs_.cold); !done) return done;

  const TimePoint start = std::chrono::steady_clock::now();
  double hit_ratio = runs_.cold.hit_ratio();
  std::uint64_t pages = runs_.cold.pages;
  while (hit_ratio < kWarm && std::chrono::steady_clock::now() - start < kWarmingMost) {
    auto slice = measure(*driver, std::min(kSlice, plan_.duration));
    if (!slice) return std::unexpected{slice.error()};
    hit_ratio = slice->hit_ratio();
    pages += slice->pages;
  }
  begin("larder, warm: {} pages later", grouped(pages));
  return finish(measure(*driver, plan_.duration), runs_.warm);
}

// A run with the queries that the server made meanwhile.
Result<Measured> Demonstration::measure(LoadDriver& driver, Duration duration) {
  const auto before = queries();
  if (!before) return std::unexpected{before.error()};
  const Duration worked = server_->processor_time();
  auto measured = driver.run(duration, stop_);
  if (!measured) {
    if (const auto ended = server_->wait(0s)) {
      measured.error().message +=
          fmt::format("\n`larder serve` ended with exit code {}:\n{}", *ended, last_words());
    }
    return measured;
  }
  const auto after = queries();
  if (!after) return std::unexpected{after.error()};
  measured->queries = *after - *before;
  measured->processor_time = server_->processor_time() - worked;
  return measured;
}

// The page queries that the server has made since its start: `loads` of the
// line "cache_product:keys=…,loads=N,…" of its INFO.
Result<std::uint64_t> Demonstration::queries() {
  const auto info = client_->ask({"INFO", "larder"});
  if (!info) return std::unexpected{info.error()};
  const std::string text = info->value_or("");
  constexpr std::string_view kField = ",loads=";
  const std::size_t line = text.find("cache_product:");
  const std::size_t at = text.find(kField, line);  // npos after npos
  std::uint64_t count = 0;
  if (at != std::string::npos) {
    const char* const first = text.data() + at + kField.size();
    if (std::from_chars(first, text.data() + text.size(), count).ec == std::errc{}) return count;
  }
  return fail(Errc::kBadValue, "larder's INFO does not say how many pages it loaded:\n" + text);
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
      if (const auto done = client_->ask({before, key}); !done)
        return std::unexpected{done.error()};
      const auto page = client_->ask({"GET", key});
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
  const std::uint16_t port = ports_.resp;
  say("\nlarder stays up. In another terminal, try:\n"
      "  redis-cli -p {0} GET product:42              the page of a product\n"
      "  redis-cli -p {0} LARDER EXPLAIN product:42   where it is, how old, what it cost\n"
      "  redis-cli -p {0} DEL product:42              forget it: the next GET loads it anew\n"
      "  redis-cli -p {0} SET session:you hello EX 60 a cache without a source\n"
      "  curl http://localhost:{1}/metrics            what larder counts\n"
      "Its configuration is {2}, its log {3}.\n"
      "redis-cli is in Debian's package redis-tools. Ctrl-C ends the demo.",
      port, ports_.admin, config().string(), log().string());
  const std::stop_callback on_stop{stop_, [this] { server_->terminate(); }};
  const int ended = server_->wait();
  if (stop_.stop_requested()) {
    say("\nStopped. The shop stays in {} for the next time.", plan_.directory.string());
    return {};
  }
  return fail(Errc::kSourceFailed,
              fmt::format("`larder serve` ended with exit code {}:\n{}", ended, last_words()));
}

// The end of the server's log.
std::string Demonstration::last_words() const {
  constexpr std::size_t kMost = 2'000;
  std::ifstream file{log(), std::ios::binary | std::ios::ate};
  const auto size = static_cast<std::size_t>(std::max<std::streamoff>(file.tellg(), 0));
  file.seekg(static_cast<std::streamoff>(size > kMost ? size - kMost : 0));
  std::string text(std::min(size, kMost), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  return text + "(all of it is in " + log().string() + ")";
}

}  // namespace

Result<void> demonstrate(const DemonstrationPlan& plan, std::ostream& out, Screen screen,
                         const std::stop_token& stop) {
  // SQLite otherwise counts its memory under one lock of all threads.
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  std::error_code error;
  fs::create_directories(plan.directory, error);
  if (error) {
    return fail(Errc::kRefused, "creating " + plan.directory.string() + " failed: " +
                                    error.message() + ". Name another with --directory");
  }
  const auto lock = DirectoryLock::take(plan.directory);
  if (!lock) return std::unexpected{lock.error()};

  Demonstration demonstration{plan, out, screen, stop};
  if (auto free = demonstration.check_ports(); !free) return free;
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
