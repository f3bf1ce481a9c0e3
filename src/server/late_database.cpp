#include "server/late_database.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "base/backoff.hpp"
#include "larder/thread_annotations.hpp"

namespace larder {

namespace {

constexpr BackoffOptions kRests{.least = std::chrono::milliseconds{200},
                                .most = std::chrono::seconds{5}};

// A statement that is to be checked.
template <class Prepared>
struct Noted {
  std::function<Result<std::shared_ptr<Prepared>>(SqlDatabase& database)> prepare;
  std::shared_ptr<Prepared> ready{};  // null: not yet
  std::optional<Error> refused{};     // as it was told
};

}  // namespace

// The thread, and what it has come to. Owned by the database and by what was prepared.
class LateDatabase::Attempts {
 public:
  Attempts(std::string name, Error why, Open open, Told told)
      : name_{std::move(name)},
        open_{std::move(open)},
        told_{std::move(told)},
        why_{std::move(why)},
        thread_{[this] { run(); }} {}
  ~Attempts() { close(); }
  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  // Null: it was not reached yet.
  [[nodiscard]] std::shared_ptr<SqlDatabase> database() const LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    return database_;
  }
  // Its place, to ask for it by; none: the database has been reached, which is to be asked.
  [[nodiscard]] std::optional<std::size_t> note(Noted<SqlReader> reader) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (database_) return std::nullopt;
    readers_.push_back(std::move(reader));
    return readers_.size() - 1;
  }
  [[nodiscard]] std::optional<std::size_t> note(Noted<SqlWriter> writer) LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    if (database_) return std::nullopt;
    writers_.push_back(std::move(writer));
    return writers_.size() - 1;
  }
  [[nodiscard]] Result<std::shared_ptr<SqlReader>> reader(std::size_t place) const
      LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    return answer(readers_[place]);
  }
  [[nodiscard]] Result<std::shared_ptr<SqlWriter>> writer(std::size_t place) const
      LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    return answer(writers_[place]);
  }

  void close() LARDER_EXCLUDES(mutex_) {
    {
      const MutexLock lock{mutex_};
      closed_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    if (const auto database = this->database()) database->close();  // be it reached meanwhile
  }

 private:
  // What a statement is answered with: of one that is refused, an error that does not blame
  // what is asked or written by it.
  template <class Prepared>
  [[nodiscard]] Result<std::shared_ptr<Prepared>> answer(const Noted<Prepared>& noted) const
      LARDER_REQUIRES(mutex_) {
    if (noted.ready) return noted.ready;
    if (closed_) return fail(Errc::kCancelled, name_ + " was closed");
    if (noted.refused) return fail(Errc::kSourceFailed, noted.refused->message);
    return std::unexpected{why_};
  }

  void run() LARDER_EXCLUDES(mutex_) {
    Backoff backoff{kRests};
    std::minstd_rand random{std::random_device{}()};
    std::uniform_real_distribution<double> part{0, 1};
    while (rest(backoff.failed(part(random)))) {
      if (!reach()) continue;
      if (check()) return;
    }
  }

  // False: it is closed.
  [[nodiscard]] bool rest(Duration duration) LARDER_EXCLUDES(mutex_) {
    const auto until = std::chrono::steady_clock::now() + duration;
    const MutexLock lock{mutex_};
    while (!closed_ && changed_.wait_until(mutex_, until) != std::cv_status::timeout) {
    }
    return !closed_;
  }

  [[nodiscard]] bool reach() LARDER_EXCLUDES(mutex_) {
    if (database()) return true;
    auto opened = open_();
    {
      const MutexLock lock{mutex_};
      if (!opened) {
        why_ = std::move(opened.error());
        return false;
      }
      database_ = std::move(*opened);
    }
    told_.reached();
    return true;
  }

  // Whether nothing is left to be checked.
  [[nodiscard]] bool check() LARDER_EXCLUDES(mutex_) {
    const auto database = this->database();
    bool all = true;
    std::vector<std::string> news;
    for (std::size_t i = 0; i < counts().first; ++i) all &= check(readers_, i, *database, news);
    for (std::size_t i = 0; i < counts().second; ++i) all &= check(writers_, i, *database, news);
    told_.refused(refused());
    for (const std::string& why : news) {
      told_.sentence(false, name_ +
                                " was reached, and refuses a statement, so what asks by it fails; "
                                "it is tried again: " +
                                why);
    }
    if (all) told_.sentence(true, name_ + " is reached, and takes its statements");
    return all;
  }
  [[nodiscard]] std::size_t refused() const LARDER_EXCLUDES(mutex_) {
    const auto in = [](const auto& all) {
      return static_cast<std::size_t>(std::ranges::count_if(
          all, [](const auto& noted) { return !noted.ready && noted.refused; }));
    };
    const MutexLock lock{mutex_};
    return in(readers_) + in(writers_);
  }
  [[nodiscard]] std::pair<std::size_t, std::size_t> counts() const LARDER_EXCLUDES(mutex_) {
    const MutexLock lock{mutex_};
    return {readers_.size(), writers_.size()};
  }

  // Adds why it refuses the statement to `news`, unless that was known. A deque's elements stay
  // where they are, and their `prepare` as it is.
  template <class Prepared>
  [[nodiscard]] bool check(std::deque<Noted<Prepared>>& all, std::size_t place,
                           SqlDatabase& database, std::vector<std::string>& news)
      LARDER_EXCLUDES(mutex_) {
    Noted<Prepared>* noted = nullptr;
    {
      const MutexLock lock{mutex_};
      noted = &all[place];
      if (noted->ready) return true;
    }
    auto prepared = noted->prepare(database);
    const MutexLock lock{mutex_};
    if (prepared) {
      noted->ready = std::move(*prepared);
      return true;
    }
    if (prepared.error().code == Errc::kSourceFailed) {  // it was lost again
      why_ = prepared.error();
      return false;
    }
    if (noted->refused != prepared.error()) news.push_back(prepared.error().message);
    noted->refused = prepared.error();
    return false;
  }

  const std::string name_;
  const Open open_;
  const Told told_;
  mutable Mutex mutex_;
  Condition changed_;
  Error why_ LARDER_GUARDED_BY(mutex_);  // it could not be reached, the last time
  std::shared_ptr<SqlDatabase> database_ LARDER_GUARDED_BY(mutex_);
  // Only grow.
  std::deque<Noted<SqlReader>> readers_;
  std::deque<Noted<SqlWriter>> writers_;
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

class LateDatabase::Reader final : public SqlReader {
 public:
  Reader(std::shared_ptr<Attempts> attempts, std::size_t place, SqlRead read)
      : attempts_{std::move(attempts)}, place_{place}, read_{std::move(read)} {}

  void submit(std::vector<SqlParameters> keys, Begin begin, Done done) override {
    const auto ready = attempts_->reader(place_);
    if (ready) return (*ready)->submit(std::move(keys), std::move(begin), std::move(done));
    if (!begin()) return;
    done(std::vector<Loaded<std::string>>(keys.size(), std::unexpected{ready.error()}));
  }
  [[nodiscard]] std::string describe() const override {
    return attempts_->name() + " · " + read_.one;
  }
  [[nodiscard]] std::size_t most_keys() const override { return most_keys_of(read_); }
  [[nodiscard]] std::uint64_t queries() const override {
    const auto ready = attempts_->reader(place_);
    return ready ? (*ready)->queries() : 0;
  }

 private:
  const std::shared_ptr<Attempts> attempts_;
  const std::size_t place_;
  const SqlRead read_;
};

class LateDatabase::Writer final : public SqlWriter {
 public:
  Writer(std::shared_ptr<Attempts> attempts, std::size_t place, SqlWrite write)
      : attempts_{std::move(attempts)}, place_{place}, write_{std::move(write)} {}

  void submit(std::vector<SqlWriteItem> items, Begin begin, Done done) override {
    const auto ready = attempts_->writer(place_);
    if (ready) return (*ready)->submit(std::move(items), std::move(begin), std::move(done));
    if (!begin()) return;
    done(std::vector<Result<Stored<std::string>>>(items.size(), std::unexpected{ready.error()}));
  }
  [[nodiscard]] std::string describe() const override {
    return attempts_->name() + " · " + write_.write;
  }
  [[nodiscard]] bool removes() const override { return !write_.remove.empty(); }
  [[nodiscard]] std::uint64_t transactions() const override {
    const auto ready = attempts_->writer(place_);
    return ready ? (*ready)->transactions() : 0;
  }
  [[nodiscard]] bool keeps_marks() const override {
    const auto ready = attempts_->writer(place_);
    return ready && (*ready)->keeps_marks();
  }

 private:
  const std::shared_ptr<Attempts> attempts_;
  const std::size_t place_;
  const SqlWrite write_;
};

LateDatabase::LateDatabase(std::string name, Error why, Open open, Told told)
    : attempts_{std::make_shared<Attempts>(std::move(name), std::move(why), std::move(open),
                                           std::move(told))} {}

Result<std::shared_ptr<SqlReader>> LateDatabase::prepare(SqlRead read,
                                                         std::vector<std::string> parameters) {
  const auto place =
      attempts_->note(Noted<SqlReader>{.prepare = [read, parameters](SqlDatabase& database) {
        return database.prepare(read, parameters);
      }});
  if (!place) return attempts_->database()->prepare(std::move(read), std::move(parameters));
  return std::make_shared<Reader>(attempts_, *place, std::move(read));
}

Result<std::shared_ptr<SqlWriter>> LateDatabase::prepare_write(
    SqlWrite write, std::vector<std::string> parameters) {
  const auto place =
      attempts_->note(Noted<SqlWriter>{.prepare = [write, parameters](SqlDatabase& database) {
        return database.prepare_write(write, parameters);
      }});
  if (!place) return attempts_->database()->prepare_write(std::move(write), std::move(parameters));
  return std::make_shared<Writer>(attempts_, *place, std::move(write));
}

void LateDatabase::close() { attempts_->close(); }

}  // namespace larder
