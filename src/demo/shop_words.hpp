// The word lists that names, descriptions and reviews are composed of.
//
// A change here changes every shop: raise kShopEdition (shop.hpp) with it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace larder::demo {

using Words = std::span<const std::string_view>;

struct Noun {
  std::string_view name;
  std::uint32_t least_price;  // in whole euros
  std::uint32_t most_price;
};

// What a shelf of the shop holds, and what people who bought it talk about.
struct Category {
  std::span<const Noun> nouns;
  Words materials;
  Words variants;
  Words parts;   // "the ___"
  Words praise;  // "it ___", of a good one
  Words blame;   // "it ___", of a bad one
};

inline constexpr Noun kKitchenNouns[] = {
    {"Kettle", 19, 129},       {"Coffee Grinder", 29, 249}, {"Frying Pan", 24, 159},
    {"Chef's Knife", 29, 299}, {"Cutting Board", 12, 79},   {"Toaster", 25, 189},
    {"Saucepan", 22, 149},     {"Mixing Bowl", 9, 49},      {"Teapot", 18, 99},
    {"Baking Tray", 8, 39},    {"Pepper Mill", 14, 89},     {"Milk Frother", 15, 119}};
inline constexpr std::string_view kKitchenMaterials[] = {
    "Stainless Steel", "Cast Iron", "Copper",        "Ceramic",
    "Beechwood",       "Enamelled", "Brushed Steel", "Stoneware"};
inline constexpr std::string_view kKitchenVariants[] = {"0.8 l",      "1.2 l",   "1.7 l", "20 cm",
                                                        "24 cm",      "28 cm",   "black", "cream",
                                                        "sage green", "set of 2"};
inline constexpr std::string_view kKitchenParts[] = {"lid", "handle", "base",   "coating",
                                                     "rim", "spout",  "finish", "packaging"};
inline constexpr std::string_view kKitchenPraise[] = {
    "is easy to clean",           "heats evenly",
    "feels solid in the hand",    "looks even better than in the pictures",
    "gets used every single day", "is quieter than the old one"};
inline constexpr std::string_view kKitchenBlame[] = {"stains after the first wash",
                                                     "gets too hot to hold",
                                                     "smells of plastic",
                                                     "is smaller than the pictures suggest",
                                                     "started to rust within a month",
                                                     "never sits quite flat"};

inline constexpr Noun kHomeNouns[] = {
    {"Floor Lamp", 39, 349},   {"Desk Lamp", 25, 179},   {"Wool Blanket", 35, 199},
    {"Cushion", 12, 69},       {"Bookshelf", 59, 449},   {"Wall Clock", 19, 129},
    {"Storage Basket", 9, 59}, {"Bath Towel", 9, 49},    {"Duvet Cover", 29, 159},
    {"Side Table", 45, 299},   {"Picture Frame", 8, 59}, {"Doormat", 12, 45}};
inline constexpr std::string_view kHomeMaterials[] = {"Oak",   "Walnut", "Linen",  "Merino",
                                                      "Brass", "Rattan", "Cotton", "Smoked Glass"};
inline constexpr std::string_view kHomeVariants[] = {
    "small",        "large",      "natural",      "off-white", "charcoal",
    "forest green", "50 x 50 cm", "140 x 200 cm", "set of 4",  "dusty blue"};
inline constexpr std::string_view kHomeParts[] = {"fabric",  "colour", "stitching", "finish",
                                                  "surface", "weight", "stand",     "packaging"};
inline constexpr std::string_view kHomePraise[] = {
    "fits perfectly in our living room", "looks far more expensive than it was",
    "still looks new after a year",      "was assembled in ten minutes",
    "is soft without being flimsy",      "gives the room a warm feeling"};
inline constexpr std::string_view kHomeBlame[] = {
    "wobbles whatever you do",        "lost its colour in the first wash",
    "arrived with a deep scratch",    "looks nothing like the photo",
    "has holes drilled a finger off", "sheds fibres all over the flat"};

inline constexpr Noun kGardenNouns[] = {
    {"Watering Can", 14, 69}, {"Pruning Saw", 12, 89},  {"Garden Hose", 19, 119},
    {"Planter", 9, 99},       {"Spade", 22, 89},        {"Hedge Trimmer", 59, 349},
    {"Bird Feeder", 12, 59},  {"Compost Bin", 29, 149}, {"Garden Chair", 35, 249},
    {"Wheelbarrow", 59, 229}, {"Leaf Rake", 14, 59},    {"Solar Lantern", 9, 59}};
inline constexpr std::string_view kGardenMaterials[] = {
    "Galvanised", "Teak", "Terracotta", "Recycled", "Zinc", "Acacia", "Forged", "Weatherproof"};
inline constexpr std::string_view kGardenVariants[] = {
    "5 l", "10 l", "15 m", "25 m", "anthracite", "moss", "40 cm", "60 cm", "80 cm", "long"};
inline constexpr std::string_view kGardenParts[] = {"blade", "grip",  "nozzle", "coating",
                                                    "joint", "frame", "handle", "bottom"};
inline constexpr std::string_view kGardenPraise[] = {
    "survived its first winter outside",  "cuts cleanly without any effort",
    "is light enough to carry when full", "does not leak a drop",
    "made short work of our hedge",       "has not faded in the sun"};
inline constexpr std::string_view kGardenBlame[] = {
    "leaked from the very first day", "bent on the first stone",    "rusted after one rainy week",
    "is far too short to be of use",  "cracked in the first frost", "came without the screws"};

inline constexpr Noun kSportNouns[] = {
    {"Running Belt", 15, 69},       {"Yoga Mat", 19, 129},      {"Water Bottle", 9, 49},
    {"Bike Helmet", 35, 249},       {"Dumbbell", 15, 129},      {"Rain Jacket", 49, 399},
    {"Climbing Rope", 79, 249},     {"Swim Cap", 5, 29},        {"Head Torch", 19, 149},
    {"Trekking Backpack", 59, 299}, {"Tennis Racket", 39, 279}, {"Cycling Jersey", 25, 129}};
inline constexpr std::string_view kSportMaterials[] = {"Carbon",    "Ultralight", "Merino",
                                                       "Aluminium", "Reflective", "Breathable",
                                                       "Cork",      "Waterproof"};
inline constexpr std::string_view kSportVariants[] = {
    "S", "M", "L", "XL", "size 39", "size 43", "0.5 l", "black", "signal red", "6 mm"};
inline constexpr std::string_view kSportParts[] = {"sole", "strap", "zip",        "grip",
                                                   "seam", "fit",   "cushioning", "buckle"};
inline constexpr std::string_view kSportPraise[] = {"sits comfortably from the first minute",
                                                    "has come with me for 500 km already",
                                                    "dries in no time",
                                                    "weighs next to nothing",
                                                    "kept me dry through a whole storm",
                                                    "gives a secure hold even when wet"};
inline constexpr std::string_view kSportBlame[] = {
    "runs at least one size too small", "came apart after three weeks",
    "gave me blisters on every outing", "lets the water in at the seams",
    "slips as soon as it gets wet",     "is much heavier than stated"};

inline constexpr Noun kOfficeNouns[] = {
    {"Notebook", 5, 39},       {"Fountain Pen", 15, 249},  {"Desk Organiser", 14, 79},
    {"Office Chair", 99, 699}, {"Monitor Stand", 25, 149}, {"Laptop Sleeve", 15, 79},
    {"Keyboard", 29, 229},     {"Mouse", 15, 129},         {"Paper Shredder", 45, 249},
    {"Whiteboard", 29, 189},   {"Headset", 39, 399},       {"Webcam", 29, 199}};
inline constexpr std::string_view kOfficeMaterials[] = {
    "Leather", "Bamboo", "Aluminium", "Felt", "Wireless", "Ergonomic", "Compact", "Silent"};
inline constexpr std::string_view kOfficeVariants[] = {
    "A4",    "A5",     "dotted",   "13 inch",     "16 inch",
    "black", "silver", "graphite", "2nd edition", "with stand"};
inline constexpr std::string_view kOfficeParts[] = {"hinge",   "cable", "surface",   "paper",
                                                    "battery", "cover", "mechanism", "padding"};
inline constexpr std::string_view kOfficePraise[] = {
    "made working from home bearable", "connects at once every morning",
    "has kept my desk tidy since",     "is quiet enough for an open-plan office",
    "lies well in the hand",           "holds a charge for weeks"};
inline constexpr std::string_view kOfficeBlame[] = {
    "drops the connection every hour", "squeaks with every movement",
    "bleeds through the paper",        "broke on the second day",
    "has a strong chemical smell",     "is not compatible, whatever the box says"};

inline constexpr Category kCategories[] = {
    {kKitchenNouns, kKitchenMaterials, kKitchenVariants, kKitchenParts, kKitchenPraise,
     kKitchenBlame},
    {kHomeNouns, kHomeMaterials, kHomeVariants, kHomeParts, kHomePraise, kHomeBlame},
    {kGardenNouns, kGardenMaterials, kGardenVariants, kGardenParts, kGardenPraise, kGardenBlame},
    {kSportNouns, kSportMaterials, kSportVariants, kSportParts, kSportPraise, kSportBlame},
    {kOfficeNouns, kOfficeMaterials, kOfficeVariants, kOfficeParts, kOfficePraise, kOfficeBlame},
};

inline constexpr std::string_view kBrandStarts[] = {
    "Nor", "Al",  "Bren", "Cas", "Del", "Fjor", "Gral", "Hal", "Ist", "Jor",
    "Kel", "Lum", "Mer",  "Ost", "Pel", "Quin", "Ros",  "Sol", "Tal", "Ves"};
inline constexpr std::string_view kBrandMiddles[] = {"",  "",   "a",  "e",  "i",
                                                     "o", "er", "an", "ma", "ti"};
inline constexpr std::string_view kBrandEnds[] = {"vik", "den", "mark",  "ton", "berg", "lia",
                                                  "no",  "rup", "stedt", "ra",  "tec",  "haus"};
inline constexpr std::string_view kCountries[] = {"Germany",     "Denmark", "Sweden", "Italy",
                                                  "France",      "Japan",   "Poland", "Spain",
                                                  "Netherlands", "Portugal"};

inline constexpr std::string_view kSeries[] = {
    "Alto", "Basic",   "Classic", "Duo",  "Essential", "Form",   "Heritage", "Linea", "Momento",
    "Nova", "Piccolo", "Prime",   "Pure", "Quattro",   "Studio", "Terra",    "Urban", "Vento"};

inline constexpr std::string_view kFirstNames[] = {
    "Anna",  "Ben",   "Carla", "David",  "Elena", "Farid", "Greta",  "Hugo",  "Ines",   "Jonas",
    "Katya", "Liam",  "Marta", "Nils",   "Olga",  "Paulo", "Quinn",  "Rosa",  "Samir",  "Tess",
    "Umut",  "Vera",  "Wanda", "Xavier", "Yuki",  "Zoe",   "Aylin",  "Björn", "Chloé",  "Dario",
    "Emre",  "Fiona", "Gábor", "Hannah", "Ivan",  "Jörg",  "Kemal",  "Lucía", "Mei",    "Noor",
    "Oskar", "Priya", "Rafał", "Sofia",  "Tomás", "Ulla",  "Victor", "Wei",   "Zeynep", "Łucja"};

// By stars: 1 and 2, 3, 4 and 5.
inline constexpr std::string_view kBadTitles[] = {
    "Not worth the money", "Disappointed", "Sent it back",
    "Broke within weeks",  "Avoid",        "Expected much more"};
inline constexpr std::string_view kMiddlingTitles[] = {"It does the job", "All right for the price",
                                                       "Good idea, so-so made", "Mixed feelings",
                                                       "Neither good nor bad"};
inline constexpr std::string_view kGoodTitles[] = {
    "Worth every cent", "Exactly what I wanted", "Would buy again",   "Very happy with it",
    "Great quality",    "A small joy every day", "Highly recommended"};

inline constexpr std::string_view kOpenings[] = {
    "Bought this {} for my parents.",
    "I have had this {} for three months now.",
    "We looked for a new {} for quite a while.",
    "My second {} of this brand.",
    "Ordered the {} on a Monday, it came on Wednesday.",
    "A friend told me about this {}.",
    "Needed one in a hurry and took this {}."};
inline constexpr std::string_view kGoodParts[] = {
    "The {} is very well made.", "I especially like the {}.",
    "Even the {} shows that somebody thought about it.", "The {} alone is worth it."};
inline constexpr std::string_view kBadParts[] = {
    "The {} feels cheap.", "The {} gave up almost at once.",
    "Whoever designed the {} has never used it.", "The {} was damaged when it arrived."};
inline constexpr std::string_view kGoodEndings[] = {
    "Would buy it again any time.",
    "Clear recommendation.",
    "Five stars from the whole family.",
    "Delivery was quick and well packed.",
    "I have already ordered a second one as a present.",
    "No complaints at all."};
inline constexpr std::string_view kMiddlingEndings[] = {
    "For the price it is fine.", "There are better ones, and worse ones.",
    "I keep it, but I would not order it again.", "Let us see how long it lasts."};
inline constexpr std::string_view kBadEndings[] = {
    "It goes back tomorrow.", "The seller has not answered for two weeks.", "Save your money.",
    "I expected more from this brand.", "Two stars less would be fair too."};

}  // namespace larder::demo
