#include "resp/reply_writer.hpp"

#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstring>

#include "resp/number_line.hpp"

namespace larder::resp {
namespace {

// Up to here a value is copied in one go with its frame, beyond it is spread
// over the blocks' room.
constexpr std::size_t kOneBlock = 4U << 10;

char line_safe(char c) { return c == '\r' || c == '\n' ? ' ' : c; }

}  // namespace

void ReplyWriter::simple(std::string_view text) { line('+', text); }
void ReplyWriter::error(std::string_view text) { line('-', text); }
void ReplyWriter::integer(std::int64_t value) { header(':', value); }

// Hot: guarded by BM_WriteBulk in bench/resp.
void ReplyWriter::bulk(std::string_view bytes) {
  if (bytes.size() > kOneBlock) [[unlikely]] {
    header('$', static_cast<std::int64_t>(bytes.size()));
    output_.append(bytes);
    output_.append("\r\n");
    return;
  }
  char* const begin = output_.prepare(kNumberLine + bytes.size() + 2);
  char* end = write_number_line(begin, '$', bytes.size());
  if (!bytes.empty()) std::memcpy(end, bytes.data(), bytes.size());
  end += bytes.size();
  *end++ = '\r';
  *end++ = '\n';
  output_.commit(static_cast<std::size_t>(end - begin));
}

void ReplyWriter::null() { output_.append(protocol_ == Protocol::kResp3 ? "_\r\n" : "$-1\r\n"); }

void ReplyWriter::null_array() {
  output_.append(protocol_ == Protocol::kResp3 ? "_\r\n" : "*-1\r\n");
}

void ReplyWriter::array(std::size_t count) { header('*', static_cast<std::int64_t>(count)); }

void ReplyWriter::map(std::size_t entries) {
  if (protocol_ == Protocol::kResp3) return header('%', static_cast<std::int64_t>(entries));
  array(entries * 2);
}

void ReplyWriter::set(std::size_t count) {
  header(protocol_ == Protocol::kResp3 ? '~' : '*', static_cast<std::int64_t>(count));
}

void ReplyWriter::push(std::size_t count) {
  header(protocol_ == Protocol::kResp3 ? '>' : '*', static_cast<std::int64_t>(count));
}

void ReplyWriter::real(double value) {
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  std::string_view digits{text.data(), static_cast<std::size_t>(written.ptr - text.data())};
  if (std::isnan(value)) digits = "nan";  // not "-nan"
  if (protocol_ == Protocol::kResp2) return bulk(digits);
  line(',', digits);
}

void ReplyWriter::boolean(bool value) {
  if (protocol_ == Protocol::kResp2) return integer(value ? 1 : 0);
  output_.append(value ? "#t\r\n" : "#f\r\n");
}

void ReplyWriter::big_number(std::string_view digits) {
  if (protocol_ == Protocol::kResp2) return bulk(digits);
  line('(', digits);
}

void ReplyWriter::verbatim(std::string_view format, std::string_view text) {
  assert(format.size() == 3);
  if (protocol_ == Protocol::kResp2) return bulk(text);
  header('=', static_cast<std::int64_t>(format.size() + 1 + text.size()));
  output_.append(format);
  output_.append(":");
  output_.append(text);
  output_.append("\r\n");
}

void ReplyWriter::line(char type, std::string_view text) {
  char* out = output_.prepare(text.size() + 3);
  *out++ = type;
  for (const char c : text) *out++ = line_safe(c);
  *out++ = '\r';
  *out++ = '\n';
  output_.commit(text.size() + 3);
}

void ReplyWriter::header(char type, std::int64_t number) {
  char* const begin = output_.prepare(kNumberLine);
  char* const end = write_number_line(begin, type, number);
  output_.commit(static_cast<std::size_t>(end - begin));
}

}  // namespace larder::resp
