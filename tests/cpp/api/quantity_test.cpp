#include "api/quantity.hpp"

#include <gtest/gtest.h>

namespace kruise::api {
namespace {

struct Case {
  const char* given;
  const char* written;  // null: no quantity
};

TEST(Quantity, IsWrittenAsApiServersWriteIt) {
  const Case cases[] = {
      {"1000m", "1"},
      {"0.5", "500m"},
      {"1024Mi", "1Gi"},
      {"1.5Gi", "1536Mi"},
      {"1000", "1k"},
      {"1024", "1024"},
      {"1000k", "1M"},
      {"1000Ki", "1000Ki"},
      {"0.1Gi", "107374182400m"},
      {"0Gi", "0"},
      {"0.0005", "500u"},
      {"1e3", "1e3"},
      {"0", "0"},
      {"0m", "0"},
      {"100m", "100m"},
      {"2", "2"},
      {"1Gi", "1Gi"},
      {"512Mi", "512Mi"},
      {"1024Ki", "1Mi"},
      {"512Ki", "512Ki"},
      {"1Ki", "1Ki"},
      {"0.5Ki", "512"},
      {"1.5Ki", "1536"},
      {"1.500", "1.500"},
      {"1.5", "1500m"},
      {"12e2", "1200"},
      {"1000e0", "1e3"},
      {"1E", "1E"},
      {"1E3", "1E3"},
      {"-1", "-1"},
      {"-0.5", "-500m"},
      {"0.0000000001", "1n"},
      {"-0.0000000001", "-1n"},
      {"1.", "1."},
      {".5", "500m"},
      {"1e-3", "1e-3"},
      {"10Ei", "9223372036854775807"},
      {"100000000000000000000", "100E"},
      {"123456789012345678901234567890n", "123456789012345678901234567890n"},
      {"", nullptr},
      {"m", nullptr},
      {"1x", nullptr},
      {"1 Gi", nullptr},
      {"1e", nullptr},
      {"Ki", nullptr},
      {"--1", nullptr},
      {"1Kii", nullptr},
      {".", nullptr},
      {"1e99999999999", nullptr},
      {"0x10", nullptr},
  };
  for (const auto& c : cases) {
    const auto quantity = Quantity::parse(c.given);
    ASSERT_EQ(quantity.has_value(), c.written != nullptr) << c.given;
    if (quantity) {
      EXPECT_EQ(quantity->text(), c.written) << c.given;
    }
  }
  EXPECT_FALSE(Quantity::parse(std::string(Quantity::kTextMax + 1, '1')));
}

TEST(Quantity, ComparesByValue) {
  const char* const ascending[] = {"-2Gi", "-1",   "-1m", "0",  "1n",  "999u", "1m",  "500m", "1",
                                   "1.5",  "1000", "1Ki", "1M", "1Mi", "1G",   "1Gi", "1E"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      EXPECT_EQ(*Quantity::parse(ascending[i]) <=> *Quantity::parse(ascending[j]), i <=> j)
          << ascending[i] << " " << ascending[j];
    }
  }
  EXPECT_EQ(*Quantity::parse("1000m"), *Quantity::parse("1"));
  EXPECT_EQ(*Quantity::parse("1Gi"), *Quantity::parse("1073741824"));
}

TEST(Quantity, RoundsUpToMilli) {
  EXPECT_EQ(Quantity::parse("500u")->rounded_up_to_milli().text(), "1m");
  EXPECT_EQ(Quantity::parse("1.0001")->rounded_up_to_milli().text(), "1001m");
  EXPECT_EQ(Quantity::parse("-500u")->rounded_up_to_milli().text(), "-1m");
  EXPECT_EQ(Quantity::parse("1.500")->rounded_up_to_milli().text(), "1.500");
}

}  // namespace
}  // namespace kruise::api
