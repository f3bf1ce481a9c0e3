// Inline commands: what a person types into telnet, `SET greeting "hello\n"`.
//
// Threads: a pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace larder::resp {

// Splits `line` (without its line end) into arguments by Redis's quoting rules:
// blanks separate; "…" takes \n \r \t \b \a \xHH and \ before any other byte;
// '…' takes \' alone; a closing quote ends its argument. The arguments are
// copied to `storage` and `arguments` points there, so both must stay as they
// are while the arguments are used. What both held before is dropped.
//
// False when a quote is not closed, or text follows a closing quote directly.
// A NUL is a byte as any other (Redis silently drops what follows one).
[[nodiscard]] bool split_inline(std::string_view line, std::string& storage,
                                std::vector<std::string_view>& arguments);

}  // namespace larder::resp
