#include "demo/written_shop.hpp"

#include <fmt/format.h>

namespace larder::demo {

std::string written_shop(const ShopPlan& plan) {
  return fmt::format(
      R"sql(
CREATE TABLE products (
  id          bigint PRIMARY KEY,
  name        text NOT NULL,
  price_cents bigint NOT NULL CONSTRAINT price_is_positive CHECK (price_cents > 0)
);
CREATE TABLE reviews (
  product_id bigint NOT NULL,
  stars      int NOT NULL,
  text       text NOT NULL,
  written_on date NOT NULL
);
INSERT INTO products
  SELECT id, (ARRAY['Copper', 'Oak', 'Linen', 'Steel', 'Walnut', 'Clay', 'Wool'])[1 + id % 7] || ' ' ||
             (ARRAY['kettle', 'table', 'lamp', 'pot', 'chair', 'vase', 'rug', 'tray'])[1 + id % 8] ||
             ' no. ' || id, 500 + id * 7919 % 20000
  FROM generate_series(1, {}) id;
INSERT INTO reviews
  SELECT 1 + n * 7919 % {}, 1 + n % 5, 'It does what it should, and looks as it did in the picture.',
         date '2024-01-01' + (n % 700)::int
  FROM generate_series(1::bigint, {}) n;
CREATE INDEX reviews_of_product ON reviews (product_id, written_on DESC);
ANALYZE)sql",
      plan.products, plan.products, plan.reviews);
}

std::string written_shop_config(const Ports& ports, std::string_view url) {
  return fmt::format(
      R"toml(# Written by `larder demo --postgres`, anew each time. The database is gone when the demo ends.

[server]
listen = "127.0.0.1:{}"          # redis-cli -p {} GET product:42
admin  = "127.0.0.1:{}"          # curl localhost:{}/metrics

[sources.shop]
url = "{}"

# Product pages. What is SET goes to the database first, and what that then holds is kept.
[caches.product]
key      = "product:{{id:int}}"
source   = "shop"
read     = """
SELECT id, name, price_cents,
       (SELECT avg(stars)::float8 FROM reviews WHERE product_id = p.id) AS stars,
       (SELECT coalesce(json_agg(r), '[]') FROM
          (SELECT stars, text, written_on FROM reviews WHERE product_id = p.id
           ORDER BY written_on DESC LIMIT 10) r) AS latest_reviews
FROM products p WHERE id = :id
"""
strategy = "write-through"
write    = "UPDATE products SET price_cents = :price_cents WHERE id = :id"
ttl      = "5m"
)toml",
      ports.resp, ports.resp, ports.admin, ports.admin, url);
}

}  // namespace larder::demo
