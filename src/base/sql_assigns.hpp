// Whether a statement that writes counts by itself.
//
// Threads: a pure function.
#pragma once

#include <string_view>

namespace larder {

// Whether `sql` gives columns nothing but parameters, constants and (in ON CONFLICT) what was
// to be inserted, so that running it with the last values leaves what running it with each
// before would. False in doubt: for a function, an operator, a subquery, a column. Linear.
[[nodiscard]] bool only_assigns(std::string_view sql);

}  // namespace larder
