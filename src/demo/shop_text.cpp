#include "demo/shop_text.hpp"

#include <algorithm>
#include <iterator>

#include "demo/shop_words.hpp"

namespace larder::demo {
namespace {

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Appends `sentence` after a space, with `word` in the place of its braces.
void append_sentence(std::string& text, std::string_view sentence, std::string_view word) {
  if (!text.empty()) text += ' ';
  const std::size_t braces = sentence.find("{}");
  if (braces == std::string_view::npos) {
    text += sentence;
    return;
  }
  text += sentence.substr(0, braces);
  text += word;
  text += sentence.substr(braces + 2);
}

// "The lid feels cheap." In two steps, for draws in one call's arguments would
// come in the order that the compiler likes.
void append_remark(std::string& text, std::span<const std::string_view> remarks,
                   std::span<const std::string_view> parts, Random& random) {
  const std::string_view remark = random.pick(remarks);
  append_sentence(text, remark, random.pick(parts));
}

// "It heats evenly."
void append_verdict(std::string& text, std::string_view verdict) {
  text += text.empty() ? "It " : " It ";
  text += verdict;
  text += '.';
}

// Most are pleased, some are angry, few are in between; the better the product, the more so.
std::uint32_t draw_stars(std::uint32_t satisfaction, Random& random) {
  const std::uint32_t mood = random.below(100);
  if (mood < satisfaction) return random.chance(68) ? 5 : 4;
  const std::uint32_t rest = random.below(100);
  if (rest < 30) return 3;
  return rest < 52 ? 2 : 1;
}

// "19.99": just below a whole euro, as shops like it.
std::uint32_t draw_price(const Noun& noun, Random& random) {
  // The lesser of two draws: cheap ones are more common.
  const std::uint32_t first = random.between(noun.least_price, noun.most_price);
  const std::uint32_t second = random.between(noun.least_price, noun.most_price);
  return std::min(first, second) * 100 - (random.chance(70) ? 1 : 50);
}

}  // namespace

std::uint32_t category_count() { return static_cast<std::uint32_t>(std::size(kCategories)); }

Brand make_brand(std::uint32_t category, Random& random) {
  Brand brand;
  brand.name = random.pick(kBrandStarts);
  brand.name += random.pick(kBrandMiddles);
  brand.name += random.pick(kBrandEnds);
  brand.country = random.pick(kCountries);
  brand.category = category;
  return brand;
}

Product make_product(const Brand& brand, Random& random) {
  const Category& category = kCategories[brand.category];
  Product product;
  product.category = brand.category;
  product.noun = random.below(static_cast<std::uint32_t>(category.nouns.size()));
  const Noun& noun = category.nouns[product.noun];
  const std::string_view series = random.pick(kSeries);
  const std::string_view material = random.pick(category.materials);
  product.name += brand.name;
  product.name += ' ';
  product.name += series;
  product.name += ' ';
  product.name += material;
  product.name += ' ';
  product.name += noun.name;
  product.name += ", ";
  product.name += random.pick(category.variants);
  product.price_cents = draw_price(noun, random);
  // Two draws: most are liked well, few are loved or loathed.
  product.satisfaction = 52 + random.below(24) + random.below(24);

  product.description = "The ";
  product.description += lower(noun.name);
  product.description += " of the ";
  product.description += series;
  product.description += " series, designed in ";
  product.description += brand.country;
  product.description += ". It ";
  product.description += random.pick(category.praise);
  product.description += ", and its ";
  product.description += random.pick(category.parts);
  product.description += " is made to last.";
  return product;
}

void write_review(const Product& product, Random& random, Review& review) {
  const Category& category = kCategories[product.category];
  review.stars = draw_stars(product.satisfaction, random);
  review.author = random.pick(kFirstNames);
  review.author += ' ';
  review.author += static_cast<char>('A' + random.below(26));
  review.author += '.';

  const bool good = review.stars >= 4;
  const bool bad = review.stars <= 2;
  review.text.clear();
  if (random.chance(70)) {
    const std::string noun = lower(category.nouns[product.noun].name);
    append_sentence(review.text, random.pick(kOpenings), noun);
  }
  if (good) {
    review.title = random.pick(kGoodTitles);
    append_verdict(review.text, random.pick(category.praise));
    if (random.chance(60)) {
      append_remark(review.text, kGoodParts, category.parts, random);
    }
    append_sentence(review.text, random.pick(kGoodEndings), {});
  } else if (bad) {
    review.title = random.pick(kBadTitles);
    append_verdict(review.text, random.pick(category.blame));
    if (random.chance(60)) {
      append_remark(review.text, kBadParts, category.parts, random);
    }
    append_sentence(review.text, random.pick(kBadEndings), {});
  } else {
    review.title = random.pick(kMiddlingTitles);
    append_verdict(review.text, random.pick(category.praise));
    append_remark(review.text, kBadParts, category.parts, random);
    append_sentence(review.text, random.pick(kMiddlingEndings), {});
  }
}

}  // namespace larder::demo
