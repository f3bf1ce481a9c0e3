// Whether a folder can hold a journal, in words better than those that SQLite has for it, and
// whether it outlives the machine's next start.
//
// Threads: any.
#pragma once

#include <string>

#include "larder/error.hpp"

namespace larder::behind {

// Opens no file: to close the journal's would give up this process's lock on it.
// kRefused: this process cannot read and write the folder or what is in it, or the name of
// the journal is another thing's; with what to do.
[[nodiscard]] Result<void> check_journal_place(const std::string& folder);

// Whether it is in memory: a restart of the machine takes it. False where that is unknown.
[[nodiscard]] bool is_in_memory(const std::string& folder);

}  // namespace larder::behind
