// JSON from anywhere: it decodes or it does not, and what was decoded comes back
// from its own text.
#include "fuzz/check.hpp"
#include "larder/codec.hpp"

namespace larder {
namespace {

enum class Kind : std::uint8_t { a, b };
BOOST_DESCRIBE_ENUM(Kind, a, b)

struct Row {
  std::int64_t id = 0;
  std::string name;
  double price = 0;
  std::vector<std::optional<std::string>> tags;
  Kind kind = Kind::a;

  friend bool operator==(const Row&, const Row&) = default;
};
BOOST_DESCRIBE_STRUCT(Row, (), (id, name, price, tags, kind))

template <class Value>
void comes_back(std::string_view text) {
  using C = JsonCodec<Value>;
  const Result<Value> decoded = C::decode(text);
  if (!decoded)
    return fuzz::require(!decoded.error().message.empty(), "an error says what is wrong");
  fuzz::require(C::decode(C::encode(*decoded)) == decoded, "a value comes back from its text");
}

void quoting(std::string_view text) {
  std::string out;
  const bool quoted = append_json_string(out, text);
  fuzz::require(quoted == !first_invalid_utf8(text),
                "what is UTF-8 can be quoted, and nothing else");
  if (quoted) fuzz::require(parse_json(out).value().as_string() == text, "quoted text comes back");
}

}  // namespace
}  // namespace larder

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace larder;
  const std::string_view text{reinterpret_cast<const char*>(data), size};

  if (parse_json(text)) fuzz::require(check_json(text).has_value(), "what parses is valid");
  comes_back<Row>(text);
  comes_back<std::vector<std::vector<double>>>(text);
  comes_back<std::map<std::string, std::uint32_t>>(text);
  quoting(text);
  if (const auto bytes = decode_base64(text)) {
    std::string coded;
    append_base64(coded, *bytes);
    fuzz::require(coded == text, "each text of base64 is the only one of its bytes");
  }
  return 0;
}
