#include "codec/row_merge.hpp"

#include <unordered_map>

#include "codec/json_scanner.hpp"
#include "larder/json_text.hpp"

namespace larder {

namespace {

using Changes = std::unordered_map<std::string_view, std::string_view>;

bool is_object(std::string_view json) { return JsonScanner{json}.peek() == '{'; }

void append(std::string& object, const std::string& name, std::string_view value) {
  if (object.size() > 1) object += ',';
  (void)append_json_string(object, name);  // it was parsed, so it can be written
  object += ':';
  object += value;
}

}  // namespace

std::string written_over(std::string_view row, std::string_view written) {
  if (!is_object(row) || !is_object(written)) return std::string{written};
  const auto changes = json_members(written);
  Changes changed;
  for (const JsonMember& change : changes) changed[change.name] = change.value;

  std::string merged{"{"};
  for (const JsonMember& member : json_members(row)) {
    const auto change = changed.find(member.name);
    append(merged, member.name, change == changed.end() ? member.value : change->second);
  }
  return merged + '}';
}

std::string written_both(std::string_view earlier, std::string_view later) {
  if (!is_object(earlier) || !is_object(later)) return std::string{later};
  const auto changes = json_members(later);
  Changes changed;
  for (const JsonMember& change : changes) changed[change.name] = change.value;

  std::string merged{"{"};
  for (const JsonMember& member : json_members(earlier)) {
    if (!changed.contains(member.name)) append(merged, member.name, member.value);
  }
  for (const JsonMember& change : changes) append(merged, change.name, change.value);
  return merged + '}';
}

}  // namespace larder
