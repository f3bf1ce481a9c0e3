#include "demo/shop_config.hpp"

#include <fmt/format.h>

#include "demo/shop.hpp"

namespace larder::demo {

std::string shop_config(const Ports& ports, std::string_view shared_url) {
  const std::string shared =
      shared_url.empty() ? std::string{}
                         : fmt::format(
                               "# What one server has loaded, the others need not.\n[shared]\n"
                               "url = \"{}\"\n\n",
                               shared_url);
  return fmt::format(
      R"toml(# Written by `larder demo`, anew each time: copy it to keep changes.
# `larder check larder.toml` looks for mistakes in it; `larder serve --config larder.toml`
# serves it without the demo.

[server]
listen = "127.0.0.1:{}"          # redis-cli -p {} GET product:42
admin  = "127.0.0.1:{}"          # curl localhost:{}/metrics

[memory]
capacity = "512MiB"

{}[sources.shop]
url = "sqlite:shop.db"

# Product pages. A key that is not in memory is read from the shop.
[caches.product]
key    = "product:{{id:int}}"
source = "shop"
read   = """
{}
"""
json   = ["{}"]
ttl    = "5m"
jitter = 0.1

# No source: what clients SET is here until its ttl is over.
[caches.session]
key = "session:{{id}}"
ttl = "30m"
)toml",
      ports.resp, ports.resp, ports.admin, ports.admin, shared, page_query(), kPageJsonColumn);
}

}  // namespace larder::demo
