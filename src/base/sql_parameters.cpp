#include "base/sql_parameters.hpp"

#include <algorithm>

namespace larder {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Bytes beyond ASCII are letters to both databases.
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool in_name(char c) { return begins_name(c) || is_digit(c) || c == '$'; }

class Scanner {
 public:
  Scanner(std::string_view sql, SqlDialect dialect)
      : sql_{sql}, postgres_{dialect == SqlDialect::kPostgres} {}

  std::vector<SqlParameterUse> scan() {
    while (at_ < sql_.size()) step();
    return std::move(uses_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead) const {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }

  void step() {
    const char c = sql_[at_];
    if (c == '\'') return skip_quoted('\'', /*backslashes=*/false);
    if (c == '"') return skip_quoted('"', false);
    if (c == '`' && !postgres_) return skip_quoted('`', false);
    if (c == '[' && !postgres_) return skip_past("]");
    if (c == '-' && peek(1) == '-') return skip_past("\n");
    if (c == '/' && peek(1) == '*') return skip_comment();
    if (c == ':') return colon();
    if (c == '$') return dollar();
    if (c == '?' && !postgres_) return sqlite_numbered();
    if ((c == '@' || c == '#') && !postgres_) return sqlite_parameter();
    if (is_digit(c) || begins_name(c)) return skip_word();
    ++at_;
  }

  // `'it''s'` is two quoted texts side by side, which comes to the same.
  void skip_quoted(char quote, bool backslashes) {
    for (++at_; at_ < sql_.size(); ++at_) {
      if (backslashes && sql_[at_] == '\\') {
        ++at_;
      } else if (sql_[at_] == quote) {
        break;
      }
    }
    at_ = std::min(at_ + 1, sql_.size());
  }

  void skip_past(std::string_view end) {
    const std::size_t found = sql_.find(end, at_ + 1);
    at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
  }

  // PostgreSQL's comments nest, SQLite's do not.
  void skip_comment() {
    std::size_t depth = 0;
    while (at_ < sql_.size()) {
      if (sql_[at_] == '/' && peek(1) == '*' && (postgres_ || depth == 0)) {
        ++depth;
        at_ += 2;
      } else if (sql_[at_] == '*' && peek(1) == '/') {
        at_ += 2;
        if (--depth == 0) return;
      } else {
        ++at_;
      }
    }
    at_ = std::min(at_, sql_.size());
  }

  // A number, keyword or name, so that what it holds begins nothing. In
  // PostgreSQL E'…' has escapes; a name may hold '$', which then quotes nothing.
  void skip_word() {
    const std::size_t start = at_;
    while (at_ < sql_.size() && in_name(sql_[at_])) ++at_;
    const std::string_view word = sql_.substr(start, at_ - start);
    const bool escapes = postgres_ && (word == "E" || word == "e");
    if (escapes && peek(0) == '\'') skip_quoted('\'', true);
  }

  void colon() {
    if (!postgres_) return sqlite_parameter();
    if (begins_name(peek(1))) return postgres_parameter();
    at_ += peek(1) == ':' || peek(1) == '=' ? 2 : 1;
  }

  // $tag$…$tag$ quotes in PostgreSQL, $1 is its parameter; $name is SQLite's.
  void dollar() {
    if (!postgres_) return sqlite_parameter();
    if (is_digit(peek(1))) return postgres_parameter();
    std::size_t end = at_ + 1;
    while (end < sql_.size() && in_name(sql_[end]) && sql_[end] != '$') ++end;
    if (end >= sql_.size() || sql_[end] != '$') {
      ++at_;
      return;
    }
    const std::string_view tag = sql_.substr(at_, end - at_ + 1);
    const std::size_t close = sql_.find(tag, end + 1);
    at_ = close == std::string_view::npos ? sql_.size() : close + tag.size();
  }

  void postgres_parameter() {
    std::size_t end = at_ + 1;
    while (end < sql_.size() && in_name(sql_[end])) ++end;
    use_up_to(end);
  }

  void sqlite_numbered() {
    std::size_t end = at_ + 1;
    while (end < sql_.size() && is_digit(sql_[end])) ++end;
    use_up_to(end);
  }

  // As sqlite3GetToken() has it: Tcl's `:name::name(index)` is one name, so that
  // `:id::int` is no cast. Without a letter it is no parameter, and an error to SQLite.
  void sqlite_parameter() {
    std::size_t end = at_ + 1;
    std::size_t letters = 0;
    while (end < sql_.size()) {
      if (in_name(sql_[end])) {
        ++letters;
        ++end;
      } else if (sql_[end] == '(' && letters > 0) {
        end = std::min(sql_.find_first_of(" \t\n\f\r)", end), sql_.size() - 1) + 1;
        break;
      } else if (sql_.substr(end).starts_with("::")) {
        end += 2;
      } else {
        break;
      }
    }
    if (letters > 0) return use_up_to(end);
    at_ += peek(1) == ':' ? 2 : 1;
  }

  void use_up_to(std::size_t end) {
    count_to(at_);
    uses_.push_back({std::string{sql_.substr(at_, end - at_)}, line_, column_, at_});
    at_ = end;
  }

  // Moves line_ and column_ to `to`.
  void count_to(std::size_t to) {
    for (; counted_ < to; ++counted_) {
      ++column_;
      if (sql_[counted_] != '\n') continue;
      ++line_;
      column_ = 1;
    }
  }

  std::string_view sql_;
  bool postgres_;
  std::size_t at_ = 0;
  std::size_t counted_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
  std::vector<SqlParameterUse> uses_;
};

}  // namespace

std::vector<SqlParameterUse> sql_parameters(std::string_view sql, SqlDialect dialect) {
  return Scanner{sql, dialect}.scan();
}

}  // namespace larder
