#include "access/rights.hpp"

#include <algorithm>
#include <map>

namespace larder {

std::string_view to_string(Right right) {
  switch (right) {
    case Right::kRead: return "read";
    case Right::kWrite: return "write";
    case Right::kAdmin: return "admin";
  }
  return "unknown";
}

Result<Grant> Grant::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view cache = colon == text.npos ? "" : text.substr(colon + 1);
  for (const Right right : {Right::kRead, Right::kWrite, Right::kAdmin}) {
    if (text.substr(0, colon) != to_string(right)) continue;
    if (!cache.empty()) return Grant{right, std::string{cache}};
    return fail(Errc::kInvalidArgument, "names no cache; write \"" + std::string{to_string(right)} +
                                            ":CACHE\", or \"" + std::string{to_string(right)} +
                                            ":*\" for all");
  }
  return fail(Errc::kInvalidArgument,
              "names no right; there are read, write and admin, as in \"read:product\" or "
              "\"write:*\"");
}

Rights::Rights(std::span<const Grant> grants) {
  std::map<std::string, Set> sets;
  for (const Grant& grant : grants) {
    Set& set = grant.cache == "*" ? everywhere_ : sets[grant.cache];
    set = static_cast<Set>(set | static_cast<Set>(grant.right));
  }
  by_cache_.assign(sets.begin(), sets.end());
}

Rights Rights::all() {
  Rights rights;
  rights.everywhere_ = kAll;
  return rights;
}

bool Rights::allow(Right right, std::string_view cache) const {
  if (has(everywhere_, right)) return true;
  const auto found = std::ranges::lower_bound(
      by_cache_, cache, {}, [](const auto& each) -> std::string_view { return each.first; });
  return found != by_cache_.end() && found->first == cache && has(found->second, right);
}

}  // namespace larder
