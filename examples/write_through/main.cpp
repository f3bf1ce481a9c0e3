// Writes that go through the cache: it keeps what the source holds afterwards, and a
// refusal reaches the caller with the source's own words.
#include <boost/asio.hpp>
#include <iostream>
#include <map>
#include <mutex>

#include "larder/larder.hpp"

using namespace std::chrono_literals;
namespace asio = boost::asio;

// What the program has for a database.
class Shop {
 public:
  std::optional<std::string> find(int id) const {
    const std::lock_guard lock{mutex_};
    const auto row = names_.find(id);
    return row == names_.end() ? std::nullopt : std::optional{row->second};
  }
  larder::Result<std::string> rename(int id, const std::string& name) {
    if (name.empty()) return larder::fail(larder::Errc::kRejected, "a product needs a name");
    const std::lock_guard lock{mutex_};
    return names_[id] = name + " (new)";  // a trigger of its own
  }
  bool erase(int id) {
    const std::lock_guard lock{mutex_};
    return names_.erase(id) == 1;
  }

 private:
  mutable std::mutex mutex_;
  std::map<int, std::string> names_;
};

struct ShopWriter {
  Shop* shop;

  larder::Result<std::string> write(int id, const std::string& name) const {
    return shop->rename(id, name);
  }
  bool remove(int id) const { return shop->erase(id); }
};

asio::awaitable<void> remove(auto& products) {
  const larder::Result<bool> removed = co_await products.async_remove(42, asio::use_awaitable);
  std::cout << "removed: " << std::boolalpha << removed.value() << '\n';
}

int main() {
  Shop shop;
  larder::Runtime runtime;
  larder::Cache<int, std::string> products{runtime,
                                           {.name = "product",
                                            .source = [&](int id) { return shop.find(id); },
                                            .writer = ShopWriter{&shop},
                                            .ttl = 5min}};

  if (auto put = products.put(42, "Copper kettle"); !put) std::cout << put.error().message << '\n';
  std::cout << products.get(42).value() << ", from " << to_string(products.get(42).origin())
            << '\n';
  if (auto put = products.put(42, ""); !put) std::cout << put.error().message << '\n';
  std::cout << products.get(42).value() << '\n';  // what the shop has, not what it refused
  asio::co_spawn(runtime.executor(), remove(products), asio::use_future).get();
  std::cout << (products.get(42).absent() ? "gone" : "there") << '\n';
}
