// What a key is called in Memcached, which takes no more than 250 bytes, and plain ones.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace larder::memcached {

// `name` where Memcached takes it, else "larder/" and its SHA-256, which nobody can make two
// names have. REQUIRES, for names to stay apart: none of them is such a one.
[[nodiscard]] std::string key_name(std::string_view name);

}  // namespace larder::memcached
