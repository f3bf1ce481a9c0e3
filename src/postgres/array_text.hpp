// PostgreSQL's arrays in their text form, {1,NULL,"a b"}: read as JSON, and written
// for a parameter.
//
// Threads: pure functions.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "larder/error.hpp"

namespace larder {

// Appends the array as a JSON array, arrays in it as arrays in that; `append`
// appends an element's text to `out`, NULL is null. Lower bounds are not
// kept. kBadValue when `text` is no array. Linear.
[[nodiscard]] Result<void> append_array(
    std::string& out, std::string_view text, char delimiter,
    const std::function<Result<void>(std::string_view element)>& append);

// Appends one quoted element of an array's text.
void append_array_element(std::string& array, std::string_view element);

}  // namespace larder
