// What a cache that writes behind knows of its values: how a written one changes what is
// read, and when a later write says all that an earlier one does.
//
// Threads: plain values; the functions are called by any, concurrently.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace larder::behind {

// A field that a written value gives.
struct Field {
  std::string name;
  bool null = false;

  friend bool operator==(const Field&, const Field&) = default;
};
using Fields = std::vector<Field>;  // by name, each once

struct ValueShape {
  // What a reader of `loaded` sees once `written` was written. Empty: a written value is all
  // that there is of a row, and takes the place of what was loaded.
  std::function<std::string(std::string_view loaded, std::string_view written)> over{};
  // What two writes come to, one after the other. Empty as `over` is.
  std::function<std::string(std::string_view earlier, std::string_view later)> both{};
  // The fields of a written value. Empty: a later write says all that an earlier one does.
  std::function<Fields(std::string_view written)> fields{};
  // Whether writes may be left out for later ones. Not where a write counts by itself, as
  // `stock = stock - :sold` does.
  bool coalesce = true;
};

// Rows of a database, written as JSON objects; `whole`: of nothing but what is written.
[[nodiscard]] ValueShape row_shape(bool coalesce, bool whole);

// Whether a write of `later` says all that one of `earlier` does. A null may mean "as it
// is" (coalesce(:name, name)), so it never covers what is none.
[[nodiscard]] bool covers(const Fields& later, const Fields& earlier);

}  // namespace larder::behind
