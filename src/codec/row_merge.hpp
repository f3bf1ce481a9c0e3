// What a row reads as while writes of it have not reached the source yet.
//
// A field of a written value is a column: written, it is that value whole, and null is
// null. So this is RFC 7396's merge of one level, without its rule that null takes a
// member away (docs/decisions/pending-writes.md).
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace larder {

// `row` with the values that `written` gives to members of it. Members that the row does
// not have are no columns of it and are left out; a name that stands twice in `written`
// counts where it stands last. REQUIRES: both are JSON; when one of them is no object the
// result is `written`. Linear in their lengths.
[[nodiscard]] std::string written_over(std::string_view row, std::string_view written);

// What two writes of a row come to: the members of `later`, and those of `earlier` that it
// does not have. REQUIRES and cost as above.
[[nodiscard]] std::string written_both(std::string_view earlier, std::string_view later);

}  // namespace larder
