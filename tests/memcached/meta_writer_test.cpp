#include "memcached/meta_writer.hpp"

#include <gmock/gmock.h>

namespace larder::memcached {
namespace {

using namespace std::chrono_literals;

template <class Write>
std::string written(Write write) {
  resp::OutputBuffer output;
  MetaWriter writer{output};
  write(writer);
  std::string_view all;
  (void)output.gather({&all, 1});
  return std::string{all};
}

TEST(MetaWriter, EachCommandIsOneLineAndItsValue) {
  EXPECT_EQ(written([](MetaWriter& w) { w.get("k"); }), "mg k v t c\r\n");
  EXPECT_EQ(written([](MetaWriter& w) { w.set("k", "a\r\nb", 0s); }), "ms k 4 T0\r\na\r\nb\r\n");
  EXPECT_EQ(written([](MetaWriter& w) { w.add("k", "v", 3s); }), "ms k 1 T3 ME\r\nv\r\n");
  EXPECT_EQ(written([](MetaWriter& w) { w.replace("k", "", 3s, 18446744073709551615U); }),
            "ms k 0 T3 C18446744073709551615\r\n\r\n");
  EXPECT_EQ(written([](MetaWriter& w) { w.remove("k"); }), "md k\r\n");
  EXPECT_EQ(written([](MetaWriter& w) { w.remove("k", 9); }), "md k C9\r\n");
  EXPECT_EQ(written([](MetaWriter& w) { w.invalidate("k"); }), "md k I\r\n");
  EXPECT_EQ(written([](MetaWriter& w) { w.version(); }), "version\r\n");
  EXPECT_EQ(written([](MetaWriter& w) { w.settings(); }), "stats settings\r\n");
}

TEST(MetaWriter, AKeyIsOneWordOfPlainBytes) {
  EXPECT_TRUE(is_key("shop:product:42"));
  EXPECT_TRUE(is_key(std::string(250, 'k')));
  EXPECT_FALSE(is_key(std::string(251, 'k')));
  EXPECT_FALSE(is_key(""));
  for (const std::string_view key : {"a b", "a\r\nflush_all", "a\tb", "\x7f", "caf\xc3\xa9"}) {
    EXPECT_FALSE(is_key(key)) << key;
  }
  EXPECT_FALSE(is_key(std::string_view{"a\0b", 3}));
}

}  // namespace
}  // namespace larder::memcached
