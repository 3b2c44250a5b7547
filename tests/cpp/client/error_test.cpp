#include "client/error.hpp"

#include <gtest/gtest.h>

namespace kruise::client {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kInvalid =
    R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Pod \"a\" is invalid","reason":"Invalid",)"
    R"("details":{"name":"a","kind":"Pod","causes":[{"reason":"FieldValueRequired","message":"Required value","field":"spec.containers"},)"
    R"({"reason":"FieldValueInvalid","message":"bad","field":"metadata.name"}]},"code":422})";

TEST(ErrorFromStatus, ReadsReasonMessageAndCauses) {
  const ApiError error = error_from_status(422, kInvalid);
  EXPECT_EQ(error.code, 422);
  EXPECT_EQ(error.reason, "Invalid");
  EXPECT_EQ(error.message, "Pod \"a\" is invalid");
  ASSERT_EQ(error.causes.size(), 2U);
  EXPECT_EQ(error.causes[0], (Cause{"FieldValueRequired", "Required value", "spec.containers"}));
  EXPECT_TRUE(error.invalid());
  EXPECT_FALSE(error.outcome_unknown);
  EXPECT_EQ(error.text(), "Pod \"a\" is invalid (422 Invalid)");
}

TEST(ErrorFromStatus, RetryAfterComesFromHeaderElseFromDetails) {
  constexpr std::string_view body =
      R"({"kind":"Status","message":"slow","reason":"TooManyRequests","details":{"retryAfterSeconds":3},"code":429})";
  EXPECT_EQ(error_from_status(429, body).retry_after, base::Duration(3s));
  EXPECT_EQ(error_from_status(429, body, 1s).retry_after, base::Duration(1s));
}

TEST(ErrorFromStatus, OfAWatchEventTakesTheCodeInside) {
  constexpr std::string_view body = R"({"kind":"Status","status":"Failure","message":"too old","reason":"Expired","code":410})";
  EXPECT_TRUE(error_from_status(200, body).expired());
  EXPECT_EQ(error_from_status(200, "{}").code, 500);
}

struct Foreign {
  const char* name;
  int code;
  std::string body;
  const char* reason;
  const char* message;
};

class ForeignBody : public testing::TestWithParam<Foreign> {};

TEST_P(ForeignBody, GivesATypedError) {
  const Foreign& c = GetParam();
  const ApiError error = error_from_status(c.code, c.body);
  EXPECT_EQ(error.code, c.code);
  EXPECT_EQ(error.reason, c.reason);
  EXPECT_EQ(error.message, c.message);
}

INSTANTIATE_TEST_SUITE_P(
    All, ForeignBody,
    testing::Values(
        Foreign{"Empty", 503, "", "ServiceUnavailable", ""},
        Foreign{"Html", 502, "<html>\r\n<body>Bad  Gateway</body></html>\n", "Unknown", "<html> <body>Bad Gateway</body></html>"},
        Foreign{"Cut", 500, R"({"kind":"Status","mess)", "InternalError", R"({"kind":"Status","mess)"},
        Foreign{"OtherKind", 404, R"({"kind":"Pod"})", "NotFound", R"({"kind":"Pod"})"},
        Foreign{"NoObject", 409, "[1]", "Conflict", "[1]"}, Foreign{"Number", 401, "7", "Unauthorized", "7"},
        Foreign{"Binary", 400, std::string("k8s\0\x01\xFF", 6), "BadRequest", "k8s"},
        Foreign{"WrongTypes", 403, R"({"kind":"Status","message":1,"reason":[],"details":"x","code":"y"})", "Forbidden", ""},
        Foreign{"DetailsOfWrongTypes", 403, R"({"kind":"Status","message":"m","details":{"causes":[1,{"field":2}]}})",
                "Forbidden", "m"},
        Foreign{"Teapot", 418, "short", "Unknown", "short"}),
    [](const auto& info) { return info.param.name; });

TEST(ErrorFromStatus, LongForeignBodyIsCut) {
  const ApiError error = error_from_status(500, std::string(10'000, 'x'));
  EXPECT_EQ(error.message, std::string(256, 'x') + "...");
}

TEST(ErrorFromStatus, DeepNestingIsNoCrash) {
  EXPECT_EQ(error_from_status(500, std::string(1'000'000, '[')).reason, "InternalError");
}

TEST(ErrorFromStatus, AnyPrefixOfAStatusIsAnError) {
  for (std::size_t size = 0; size < kInvalid.size(); ++size) {
    const ApiError error = error_from_status(422, kInvalid.substr(0, size));
    EXPECT_EQ(error.code, 422);
    EXPECT_EQ(error.reason, "Invalid");
  }
}

}  // namespace
}  // namespace kruise::client
