// What the fragments in the documentation take for granted.
#pragma once

#include <boost/asio.hpp>
#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "larder/larder.hpp"

using namespace std::chrono_literals;
using namespace larder::literals;
namespace asio = boost::asio;

struct Product {
  std::int64_t id;
  std::string name;
  double price;
};
BOOST_DESCRIBE_STRUCT(Product, (), (id, name, price))
