#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <utility>

#include "larder/json_text.hpp"

namespace larder {

namespace json = boost::json;

namespace {

using Code = json::error_code;
using Text = json::string_view;

// What Boost.JSON's parser calls. This one accepts and forgets; it is enough to
// check a document, and the base of the one that builds values.
struct Checker {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(Text, std::size_t, Code&) { return true; }
  bool on_key(Text, std::size_t, Code&) { return true; }
  bool on_string_part(Text, std::size_t, Code&) { return true; }
  bool on_string(Text, std::size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t, Text, Code&) { return true; }
  bool on_uint64(std::uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

struct Builder : Checker {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  bool on_object_end(std::size_t n, Code&) { return values.push_object(n), true; }
  bool on_array_end(std::size_t n, Code&) { return values.push_array(n), true; }
  bool on_key_part(Text s, std::size_t, Code&) { return values.push_chars(s), true; }
  bool on_key(Text s, std::size_t, Code&) { return values.push_key(s), true; }
  bool on_string_part(Text s, std::size_t, Code&) { return values.push_chars(s), true; }
  bool on_string(Text s, std::size_t, Code&) { return values.push_string(s), true; }
  bool on_bool(bool b, Code&) { return values.push_bool(b), true; }
  bool on_null(Code&) { return values.push_null(), true; }

  bool on_number_part(Text s, Code&) { return number.append(s.data(), s.size()), true; }
  bool on_int64(std::int64_t i, Text, Code&) {
    number.clear();
    values.push_int64(i);
    return true;
  }
  bool on_uint64(std::uint64_t u, Text, Code&) {
    number.clear();
    values.push_uint64(u);
    return true;
  }
  // Boost.JSON 1.81 misses the last bits of three random doubles in ten: read the
  // digits again, exactly.
  bool on_double(double approximate, Text s, Code& error) {
    number.append(s.data(), s.size());
    double exact = approximate;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), exact);
    number.clear();
    if (read.ec == std::errc::result_out_of_range) {
      if (approximate > 1 || approximate < -1) {
        error = json::make_error_code(json::error::exponent_overflow);
        return false;
      }
      exact = 0;
    }
    values.push_double(exact);
    return true;
  }

  json::value_stack values;
  std::string number;  // the digits of the number that is being read
};

json::parse_options options() {
  json::parse_options limits;
  limits.max_depth = kJsonMaxDepth;
  return limits;
}

template <class Handler>
Result<void> run(json::basic_parser<Handler>& parser, std::string_view text) {
  Code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size()) error = json::make_error_code(json::error::extra_data);
  if (!error) return {};
  const std::string at = " at byte " + std::to_string(read);
  if (error == json::error::too_deep) {
    return fail(Errc::kBadValue, "not JSON that larder reads: more than " +
                                     std::to_string(kJsonMaxDepth) + " levels deep" + at);
  }
  return fail(Errc::kBadValue, "not JSON: " + error.message() + at);
}

}  // namespace

Result<void> check_json(std::string_view text) {
  json::basic_parser<Checker> parser{options()};
  return run(parser, text);
}

Result<json::value> parse_json(std::string_view text, json::storage_ptr storage) {
  json::basic_parser<Builder> parser{options()};
  parser.handler().values.reset(std::move(storage));
  if (const Result<void> done = run(parser, text); !done) return std::unexpected{done.error()};
  return parser.handler().values.release();
}

}  // namespace larder
