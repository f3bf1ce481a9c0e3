#include "base/sql_assigns.hpp"

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(OnlyAssigns, WhatSetsColumnsToParametersAndConstants) {
  EXPECT_TRUE(only_assigns("UPDATE products SET name = :name, price = :price WHERE id = :id"));
  EXPECT_TRUE(only_assigns("UPDATE p SET seen=TRUE, at = CURRENT_TIMESTAMP WHERE (id = :id)"));
  EXPECT_TRUE(only_assigns("UPDATE p SET price = :price::numeric WHERE id = :id"));
  EXPECT_TRUE(only_assigns("UPDATE p SET (a, b) = (:a, :b) WHERE id = :id"));
  EXPECT_TRUE(
      only_assigns("INSERT INTO shop.products(id, name) VALUES (:id, :name)\n"
                   "ON CONFLICT (id) DO UPDATE SET name = excluded.name"));
}

TEST(OnlyAssigns, NotWhatComputes) {
  EXPECT_FALSE(only_assigns("UPDATE p SET stock = stock - :sold WHERE id = :id"));
  EXPECT_FALSE(only_assigns("UPDATE p SET log = log || :line WHERE id = :id"));
  EXPECT_FALSE(only_assigns("UPDATE p SET name = coalesce(:name, name) WHERE id = :id"));
  EXPECT_FALSE(only_assigns("UPDATE p SET before = price, price = :price WHERE id = :id"));
  EXPECT_FALSE(only_assigns("UPDATE p SET n = (SELECT n FROM q) WHERE id = :id"));
  EXPECT_FALSE(only_assigns("UPDATE p SET n = CASE WHEN :n > n THEN :n END WHERE id = :id"));
  EXPECT_FALSE(
      only_assigns("INSERT INTO p(id, n) VALUES (:id, :n) ON CONFLICT (id) DO UPDATE SET n = "
                   "p.n + excluded.n"));
}

}  // namespace
}  // namespace larder
