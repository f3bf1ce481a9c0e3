// The SQLSTATEs that larder treats in their own ways.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
#pragma once

#include <string_view>

namespace larder::sqlstates {

inline constexpr std::string_view kFeatureNotSupported = "0A000";  // a cached plan's result changed
inline constexpr std::string_view kUniqueViolation = "23505";
inline constexpr std::string_view kReadOnlyTransaction = "25006";
inline constexpr std::string_view kInvalidStatementName = "26000";
inline constexpr std::string_view kDuplicatePreparedStatement = "42P05";
inline constexpr std::string_view kUndefinedTable = "42P01";
inline constexpr std::string_view kQueryCanceled = "57014";

}  // namespace larder::sqlstates
