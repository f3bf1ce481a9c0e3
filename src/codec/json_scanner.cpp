#include "codec/json_scanner.hpp"

#include <boost/json/parse.hpp>

namespace larder {

std::string unquoted(std::string_view quoted) {
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return std::string{inside};
  const boost::json::value value = boost::json::parse(quoted);
  const boost::json::string& text = value.get_string();
  return {text.data(), text.size()};
}

std::vector<JsonMember> json_members(std::string_view object) {
  std::vector<JsonMember> members;
  JsonScanner scan{object};
  (void)scan.peek();
  scan.skip();
  while (scan.peek() != '}') {
    if (scan.peek() == ',') scan.skip();
    std::string name = unquoted(scan.value());
    (void)scan.peek();
    scan.skip();  // the colon
    members.push_back({std::move(name), scan.value()});
  }
  return members;
}

}  // namespace larder
