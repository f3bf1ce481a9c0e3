#include "postgres/value_json.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <unordered_map>

#include "larder/json_text.hpp"
#include "postgres/array_text.hpp"

namespace larder {

namespace {

using enum PostgresKind;

constexpr Oid kFirstMade = 16384;  // below it are those of the system (FirstNormalObjectId)

// pg_type.dat. What is not here is text.
const std::unordered_map<Oid, PostgresType>& types() {
  static const std::unordered_map<Oid, PostgresType> table{
      {16, {kBool}},
      {17, {kBytes}},
      {20, {kNumber}},
      {21, {kNumber}},
      {23, {kNumber}},
      {26, {kNumber}},
      {114, {kJson}},
      {700, {kNumber}},
      {701, {kNumber}},
      {1114, {kTimestamp}},
      {1184, {kTimestampWithZone}},
      {1700, {kNumber}},
      {3802, {kJson}},
      // Arrays.
      {199, {kJson, true}},
      {1000, {kBool, true}},
      {1001, {kBytes, true}},
      {1005, {kNumber, true}},
      {1007, {kNumber, true}},
      {1016, {kNumber, true}},
      {1021, {kNumber, true}},
      {1022, {kNumber, true}},
      {1028, {kNumber, true}},
      {1115, {kTimestamp, true}},
      {1185, {kTimestampWithZone, true}},
      {1231, {kNumber, true}},
      {3807, {kJson, true}},
      {1002, {kText, true}},  // "char"
      {1003, {kText, true}},  // name
      {1009, {kText, true}},  // text
      {1014, {kText, true}},  // bpchar
      {1015, {kText, true}},  // varchar
      {1040, {kText, true}},  // macaddr
      {1041, {kText, true}},  // inet
      {651, {kText, true}},   // cidr
      {791, {kText, true}},   // money
      {1182, {kText, true}},  // date
      {1183, {kText, true}},  // time
      {1187, {kText, true}},  // interval
      {1270, {kText, true}},  // timetz
      {1561, {kText, true}},  // bit
      {1563, {kText, true}},  // varbit
      {2951, {kText, true}},  // uuid
      {143, {kText, true}},   // xml
  };
  return table;
}

bool is_number(std::string_view text) {
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  return text.size() > sign && text[sign] >= '0' && text[sign] <= '9';
}

Result<void> append_string(std::string& out, std::string_view text) {
  if (append_json_string(out, text)) return {};
  return fail(Errc::kBadValue, "holds text that is not UTF-8, at byte " +
                                   std::to_string(first_invalid_utf8(text).value_or(0)));
}

Result<void> append_bytes(std::string& out, std::string_view text) {
  struct Free {
    void operator()(unsigned char* bytes) const { PQfreemem(bytes); }
  };
  const std::string terminated{text};
  std::size_t size = 0;
  const std::unique_ptr<unsigned char, Free> bytes{
      PQunescapeBytea(reinterpret_cast<const unsigned char*>(terminated.c_str()), &size)};
  if (!bytes) return fail(Errc::kOverloaded, "does not fit in memory");
  out += '"';
  append_base64(out, {reinterpret_cast<const std::byte*>(bytes.get()), size});
  out += '"';
  return {};
}

// "2024-02-01 03:04:05+02" → "2024-02-01T03:04:05+02:00"; "infinity" and what follows
// the time (BC, seconds of an offset) stay as they are.
Result<void> append_time(std::string& out, std::string_view text, bool zone) {
  std::string iso{text};
  const std::size_t blank = iso.find(' ');
  if (blank != std::string::npos && blank + 1 < iso.size() && iso[blank + 1] >= '0' &&
      iso[blank + 1] <= '9') {
    iso[blank] = 'T';
    const std::size_t sign = zone ? iso.find_first_of("+-", blank) : std::string::npos;
    if (sign != std::string::npos) {
      const std::size_t hours = sign + 3;
      if (hours == iso.size() || (hours < iso.size() && iso[hours] == ' ')) {
        iso.insert(hours, ":00");
      }
    }
  }
  return append_string(out, iso);
}

Result<void> append_one(std::string& out, std::string_view text, PostgresKind kind) {
  switch (kind) {
    case kText: return append_string(out, text);
    case kBool: out += text == "t" ? "true" : "false"; return {};
    case kBytes: return append_bytes(out, text);
    case kTimestamp: return append_time(out, text, false);
    case kTimestampWithZone: return append_time(out, text, true);
    case kNumber:
      if (!is_number(text)) return append_string(out, text);
      out += text;
      return {};
    case kJson:
      if (const Result<void> good = check_json(text); !good) {
        return fail(Errc::kBadValue, "should hold JSON, but it is " + good.error().message);
      }
      out += text;
      return {};
  }
  return fail(Errc::kInternal, "is of no kind");
}

}  // namespace

std::optional<PostgresType> built_in_type(Oid oid) {
  if (const auto found = types().find(oid); found != types().end()) return found->second;
  if (oid < kFirstMade) return PostgresType{};
  return std::nullopt;
}

Result<void> append_postgres_value(std::string& out, std::string_view text, PostgresType type) {
  if (!type.array) return append_one(out, text, type.kind);
  return append_array(out, text, type.delimiter, [&](std::string_view element) {
    return append_one(out, element, type.kind);
  });
}

}  // namespace larder
