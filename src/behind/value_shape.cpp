#include "behind/value_shape.hpp"

#include <algorithm>

#include "codec/json_scanner.hpp"
#include "codec/row_merge.hpp"

namespace larder::behind {

namespace {

// A value that is no object covers nothing but its like; the source will refuse it anyway.
Fields fields_of(std::string_view written) {
  Fields fields;
  if (JsonScanner{written}.peek() != '{') return fields;
  for (JsonMember& member : json_members(written)) {
    fields.push_back({std::move(member.name), member.value == "null"});
  }
  std::ranges::sort(fields, {}, &Field::name);
  return fields;
}

}  // namespace

ValueShape row_shape(bool coalesce, bool whole) {
  ValueShape shape{.fields = fields_of, .coalesce = coalesce};
  if (whole) return shape;
  shape.over = written_over;
  shape.both = written_both;
  return shape;
}

bool covers(const Fields& later, const Fields& earlier) {
  auto at = later.begin();
  for (const Field& field : earlier) {
    at = std::ranges::lower_bound(at, later.end(), field.name, {}, &Field::name);
    if (at == later.end() || at->name != field.name) return false;
    if (at->null && !field.null) return false;
  }
  return true;
}

}  // namespace larder::behind
