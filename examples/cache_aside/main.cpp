// Cache-aside: the program loads what is missing and puts it in the cache itself.
#include <chrono>
#include <iostream>
#include <string>

#include "larder/cache.hpp"

namespace {

using namespace std::chrono_literals;
using namespace larder::literals;

// Whatever is slow: a template engine, a service elsewhere, a big query.
std::string render(const std::string& page) {
  std::cout << "  rendering " << page << '\n';
  return "<h1>" + page + "</h1>";
}

}  // namespace

int main() {
  larder::Runtime runtime;
  larder::Cache<std::string, std::string> pages{
      runtime, {.name = "page", .memory = {.capacity = 16_MiB}, .ttl = 1min, .jitter = 0.1}};

  for (const std::string page : {"about", "about", "contact"}) {
    auto answer = pages.get(page);
    if (!answer) {
      if (auto kept = pages.put(page, render(page), {.ttl = 30s}); !kept) {
        std::cerr << kept.error().message << '\n';  // too large to keep: not fatal
      }
      answer = pages.peek(page);
    }
    std::cout << page << ": " << *answer << '\n';
  }

  pages.invalidate("about");
  std::cout << "after invalidate, about is " << (pages.peek("about") ? "there" : "gone") << '\n';
}
