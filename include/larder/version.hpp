// Which larder this is. CMake reads the number from here, so it stands once.
#pragma once

#include <string_view>

namespace larder {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace larder
