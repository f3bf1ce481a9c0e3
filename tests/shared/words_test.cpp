// Keys and values of a program's types, as a shared tier has them.
#include <gtest/gtest.h>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "larder/shared_words.hpp"

namespace larder {
namespace {

using shared_detail::parse;
using shared_detail::say;
using shared_detail::shape;
using shared_detail::shape_of_key;

enum class Colour : std::uint8_t { kRed = 3, kBlue = 200 };

struct Place {
  std::string country;
  std::optional<std::string> city;
  bool operator==(const Place&) const = default;
};
BOOST_DESCRIBE_STRUCT(Place, (), (country, city))

struct Offer {
  std::int64_t product = 0;
  Place place;
  bool open = false;
  bool operator==(const Offer&) const = default;
};
BOOST_DESCRIBE_STRUCT(Offer, (), (product, place, open))

TEST(Words, SayKeysAsPeopleWouldWriteThem) {
  EXPECT_EQ(say(std::string{"a,b\\c"}), "a,b\\c");
  EXPECT_EQ(say(std::int64_t{-42}), "-42");
  EXPECT_EQ(say(std::uint8_t{200}), "200");
  EXPECT_EQ(say(true), "1");
  EXPECT_EQ(say(Colour::kBlue), "200");
  EXPECT_EQ(say(2.5), "2.5");
  EXPECT_EQ(say(std::optional<int>{}), "-");
  EXPECT_EQ(say(std::optional{7}), "+7");
  EXPECT_EQ(say(Place{"de", "Ulm"}), "de,+Ulm");
  EXPECT_EQ(say(Offer{42, {"a,b", std::nullopt}, true}), "42,a\\\\\\,b\\,-,1");
}

TEST(Words, SayEqualNumbersAlike) {
  EXPECT_EQ(say(-0.0), say(0.0));
  EXPECT_EQ(parse<double>(say(std::numeric_limits<double>::denorm_min())),
            std::numeric_limits<double>::denorm_min());
}

TEST(Words, AreReadBack) {
  EXPECT_EQ(parse<std::string>("a,b"), "a,b");
  EXPECT_EQ(parse<std::int64_t>("-42"), -42);
  EXPECT_EQ(parse<Colour>("3"), Colour::kRed);
  EXPECT_EQ(parse<bool>("0"), false);
  EXPECT_EQ(parse<std::optional<int>>("-"), std::make_optional(std::optional<int>{}));
  const Offer offer{42, {"a,b\\", "\xFF,"}, true};
  EXPECT_EQ(parse<Offer>(say(offer)), offer);
}

TEST(Words, OfNoKeyAreNoKey) {
  for (const char* text : {"", "4x", " 4", "4 ", "99999999999999999999", "+4"}) {
    EXPECT_FALSE(parse<std::int64_t>(text)) << text;
  }
  EXPECT_FALSE(parse<std::uint8_t>("256"));
  EXPECT_FALSE(parse<bool>("2"));
  EXPECT_FALSE(parse<std::optional<int>>("7"));
  for (const char* text : {"", "de", "de,", "de,+Ulm,", "de,+Ulm,x", "de\\", "de,Ulm"}) {
    EXPECT_FALSE(parse<Place>(text)) << text;
  }
}

// Strings of few characters, those that separate and escape among them.
TEST(Words, OfKeysThatDifferDifferAndAreReadBack) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::minstd_rand random{seed};
  const auto text = [&] {
    std::string made;
    for (auto left = random() % 4; left > 0; --left) made += ",\\+-0"[random() % 5];
    return made;
  };
  std::set<std::string> said;
  std::set<std::tuple<std::int64_t, std::string, std::optional<std::string>, bool>> keys;
  for (int i = 0; i < 20'000; ++i) {
    Offer offer{static_cast<std::int64_t>(random() % 3), {text(), {}}, random() % 2 == 0};
    if (random() % 2 == 0) offer.place.city = text();
    ASSERT_EQ(parse<Offer>(say(offer)), offer) << say(offer);
    said.insert(say(offer));
    keys.emplace(offer.product, offer.place.country, offer.place.city, offer.open);
  }
  EXPECT_EQ(said.size(), keys.size());
  EXPECT_GT(keys.size(), 1'000U);
}

TEST(Words, OfAnyBytesAreReadOrRefused) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::minstd_rand random{seed};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto left = random() % 12; left > 0; --left) text += "0123,,\\\\+-\xFFx"[random() % 12];
    if (const auto offer = parse<Offer>(text)) {
      EXPECT_EQ(parse<Offer>(say(*offer)), offer) << text;
    }
  }
}

struct Tree {
  std::string name;
  std::vector<Tree> children;
};
BOOST_DESCRIBE_STRUCT(Tree, (), (name, children))

struct Narrow {
  std::int32_t id;
};
BOOST_DESCRIBE_STRUCT(Narrow, (), (id))
struct Wide {
  std::int64_t id;
};
BOOST_DESCRIBE_STRUCT(Wide, (), (id))
struct Renamed {
  std::int64_t key;
};
BOOST_DESCRIBE_STRUCT(Renamed, (), (key))
struct Maybe {
  std::optional<std::int64_t> id;
};
BOOST_DESCRIBE_STRUCT(Maybe, (), (id))

template <class T>
std::string json_shape() {
  return shape<T, JsonCodec<T>>();
}

TEST(TheShapeOfAValue, IsWhatJsonShows) {
  EXPECT_EQ(json_shape<Offer>(),
            "json {product:integer;place:{country:text;city:text?;};open:bool;}");
  EXPECT_EQ(json_shape<Narrow>(), json_shape<Wide>());
  EXPECT_NE(json_shape<Wide>(), json_shape<Renamed>());
  EXPECT_NE(json_shape<Wide>(), json_shape<Maybe>());
  EXPECT_EQ((shape<std::string, BytesCodec>()), "bytes");
}

struct Swapped {
  bool open = false;
  std::int64_t product = 0;
};
BOOST_DESCRIBE_STRUCT(Swapped, (), (open, product))
struct Straight {
  std::int64_t product = 0;
  bool open = false;
};
BOOST_DESCRIBE_STRUCT(Straight, (), (product, open))
enum class Old : std::uint8_t { kRed = 1, kBlue = 2 };
BOOST_DESCRIBE_ENUM(Old, kRed, kBlue)
enum class New : std::uint8_t { kRed = 2, kBlue = 1 };
BOOST_DESCRIBE_ENUM(New, kRed, kBlue)

TEST(TheShapeOfAKey, TellsWhatIsSaidInAnotherOrderOrWithOtherNumbers) {
  EXPECT_NE(shape_of_key<Swapped>(), shape_of_key<Straight>());
  EXPECT_NE(shape_of_key<Old>(), shape_of_key<New>());
  EXPECT_EQ(shape_of_key<Old>(), "name(kRed=1;kBlue=2;)");
  EXPECT_NE(shape_of_key<std::string>(), shape_of_key<int>());
  EXPECT_NE(shape_of_key<bool>(), shape_of_key<int>());
}

TEST(TheShapeOfAValue, EndsWhereATypeHasItself) {
  EXPECT_EQ(json_shape<Tree>(), "json {name:text;children:[^];}");
}

}  // namespace
}  // namespace larder
