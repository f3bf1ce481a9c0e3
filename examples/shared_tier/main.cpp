// Two processes, here two runtimes of one program, that share a Redis: one query for both, and
// what one invalidates the other does not serve.
//
//   example_shared_tier redis://localhost:6379
#include <atomic>
#include <iostream>
#include <random>
#include <string>
#include <thread>

#include "larder/larder.hpp"

using namespace std::chrono_literals;

struct Product {
  int id = 0;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(Product, (), (id, name))

// What both have for a database.
class Shop {
 public:
  Product find(int id) {
    ++queries_;
    return {id, renamed_ ? "Copper kettle" : "Kettle"};
  }
  void rename() { renamed_ = true; }
  int queries() const { return queries_; }

 private:
  std::atomic<bool> renamed_{false};
  std::atomic<int> queries_{0};
};

class Process {
 public:
  Process(Shop& shop, const std::string& url, const std::string& version)
      : redis_{larder::shared_tier(runtime_, url, {.name_space = "example"})},
        products_{runtime_,
                  {.name = "product",
                   .source = [&shop](int id) { return shop.find(id); },
                   .ttl = 5min,
                   .shared = {redis_, version}}} {}

  larder::Cache<int, Product>& products() { return products_; }
  // Before that reads go to the shop.
  void wait_for_redis() const {
    while (!redis_->trusted()) std::this_thread::sleep_for(10ms);
  }

 private:
  larder::Runtime runtime_;
  std::shared_ptr<larder::SharedTier> redis_;
  larder::Cache<int, Product> products_;
};

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: " << arguments[0] << " redis://localhost:6379\n";
    return 2;
  }
  Shop shop;
  const std::string version = std::to_string(std::random_device{}());  // not what others left
  Process one{shop, arguments[1], version};
  Process other{shop, arguments[1], version};
  one.wait_for_redis();
  other.wait_for_redis();

  for (Process* each : {&one, &other}) {
    const auto product = each->products().get(42);
    std::cout << product->name << ", from " << to_string(product.origin()) << '\n';
  }

  shop.rename();
  one.products().invalidate(42);
  while (other.products().get(42)->name == "Kettle") std::this_thread::sleep_for(1ms);  // is told
  std::cout << other.products().get(42)->name << ", after " << shop.queries() << " queries\n";
}
