#include "api/clone_set_conversion.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "api/decode_error.hpp"
#include "base/random.hpp"

namespace kruise::api {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::string_view kAlpha = "apps.kruise.io/v1alpha1";
constexpr std::string_view kBeta = "apps.kruise.io/v1beta1";

json converted(const json& object, std::string_view version) { return json::parse(convert_clone_set(object.dump(), version)); }

json alpha(const json& spec, const json& metadata = {{"name", "web"}}) {
  return {{"apiVersion", kAlpha}, {"kind", "CloneSet"}, {"metadata", metadata}, {"spec", spec}};
}
json beta(const json& spec, const json& metadata = {{"name", "web"}}) {
  json object = alpha(spec, metadata);
  object["apiVersion"] = kBeta;
  return object;
}

struct Case {
  const char* name;
  json from, to;
};

void expect_converted(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(converted(c.from, c.to.at("apiVersion").get<std::string>()), c.to) << c.name;
}

json reuse(bool on) { return {{"enablePVCReuse", on}}; }
json disable(bool on) { return {{"disablePVCReuse", on}}; }
json rolling(json rolling_update) { return {{"type", "RollingUpdate"}, {"rollingUpdate", std::move(rolling_update)}}; }

TEST(CloneSetConversion, ToV1beta1) {
  const json recreate = rolling({{"podUpdatePolicy", "ReCreate"}});
  expect_converted({
      {"nothing said", alpha({}), beta({{"scaleStrategy", reuse(true)}, {"updateStrategy", recreate}})},
      {"a policy, budgets and order move down",
       alpha({{"replicas", 3},
              {"updateStrategy",
               {{"type", "InPlaceIfPossible"},
                {"partition", "40%"},
                {"maxUnavailable", 2},
                {"paused", true},
                {"scatterStrategy", {{{"key", "a"}, {"value", "b"}}}}}}}),
       beta({{"replicas", 3},
             {"scaleStrategy", reuse(true)},
             {"updateStrategy", rolling({{"podUpdatePolicy", "InPlaceIfPossible"},
                                         {"partition", "40%"},
                                         {"maxUnavailable", 2},
                                         {"paused", true},
                                         {"scatterStrategy", {{{"key", "a"}, {"value", "b"}}}}})}})},
      {"an unknown type is ReCreate", alpha({{"updateStrategy", {{"type", "Sideways"}}}}),
       beta({{"scaleStrategy", reuse(true)}, {"updateStrategy", recreate}})},
      {"OnDelete has no pace", alpha({{"updateStrategy", {{"type", "OnDelete"}, {"partition", 3}}}}),
       beta({{"scaleStrategy", reuse(true)}, {"updateStrategy", {{"type", "OnDelete"}}}})},
      {"claims are not reused", alpha({{"scaleStrategy", {{"disablePVCReuse", true}, {"maxUnavailable", 1}}}}),
       beta({{"scaleStrategy", {{"enablePVCReuse", false}, {"maxUnavailable", 1}}}, {"updateStrategy", recreate}})},
      {"the label is a field", alpha({}, {{"labels", {{"apps.kruise.io/cloneset-scaling-exclude-preparing-delete", "true"}}}}),
       beta({{"scaleStrategy", {{"enablePVCReuse", true}, {"excludePreparingDelete", true}}}, {"updateStrategy", recreate}},
            {{"labels", {{"apps.kruise.io/cloneset-scaling-exclude-preparing-delete", "true"}}}})},
      {"a label that says otherwise is none; the field stays",
       alpha({{"scaleStrategy", {{"excludePreparingDelete", true}}}},
             {{"labels", {{"apps.kruise.io/cloneset-scaling-exclude-preparing-delete", "yes"}}}}),
       beta({{"scaleStrategy", {{"enablePVCReuse", true}, {"excludePreparingDelete", true}}}, {"updateStrategy", recreate}},
            {{"labels", {{"apps.kruise.io/cloneset-scaling-exclude-preparing-delete", "yes"}}}})},
      {"nulls are absent", alpha({{"scaleStrategy", nullptr}, {"updateStrategy", {{"type", nullptr}}}}),
       beta({{"scaleStrategy", reuse(true)}, {"updateStrategy", recreate}})},
  });
}

TEST(CloneSetConversion, ToV1alpha1) {
  expect_converted({
      {"nothing said: claims are not reused", beta({}),
       alpha({{"scaleStrategy", disable(true)}, {"updateStrategy", {{"type", "ReCreate"}}}})},
      {"a policy, budgets and order move up",
       beta({{"scaleStrategy", {{"enablePVCReuse", true}, {"podsToDelete", {"web-a"}}, {"excludePreparingDelete", true}}},
             {"updateStrategy", rolling({{"podUpdatePolicy", "InPlaceOnly"}, {"partition", 7}, {"maxSurge", "10%"}})}}),
       alpha({{"scaleStrategy", {{"disablePVCReuse", false}, {"podsToDelete", {"web-a"}}, {"excludePreparingDelete", true}}},
              {"updateStrategy", {{"type", "InPlaceOnly"}, {"partition", 7}, {"maxSurge", "10%"}}}})},
      {"OnDelete", beta({{"updateStrategy", {{"type", "OnDelete"}, {"rollingUpdate", {{"partition", 3}}}}}}),
       alpha({{"scaleStrategy", disable(true)}, {"updateStrategy", {{"type", "OnDelete"}}}})},
      {"only zeros in place are nothing",
       beta({{"updateStrategy", rolling({{"inPlaceUpdateStrategy", {{"gracePeriodSeconds", 0}}}})}}),
       alpha({{"scaleStrategy", disable(true)}, {"updateStrategy", {{"type", "ReCreate"}}}})},
      {"pre-download is said by annotations",
       beta({{"updateStrategy", rolling({{"inPlaceUpdateStrategy",
                                          {{"gracePeriodSeconds", 9},
                                           {"imagePreDownloadParallelism", "20%"},
                                           {"imagePreDownloadTimeoutSeconds", 60},
                                           {"imagePreDownloadMinUpdatedReadyPods", 4}}}})}}),
       alpha({{"scaleStrategy", disable(true)},
              {"updateStrategy", {{"type", "ReCreate"}, {"inPlaceUpdateStrategy", {{"gracePeriodSeconds", 9}}}}}},
             {{"name", "web"},
              {"annotations",
               {{"apps.kruise.io/image-predownload-parallelism", "20%"},
                {"apps.kruise.io/image-predownload-timeout-seconds", "60"},
                {"apps.kruise.io/image-predownload-min-updated-ready-pods", "4"}}}})},
  });
}

TEST(CloneSetConversion, PreDownloadAnnotationsThatAreNoNumbersStayOnTheObject) {
  const json annotations = {{"apps.kruise.io/image-predownload-parallelism", "3"},
                            {"apps.kruise.io/image-predownload-timeout-seconds", "soon"},
                            {"apps.kruise.io/image-predownload-min-updated-ready-pods", "10%"}};
  const json old = alpha({}, {{"annotations", annotations}});
  const json now = converted(old, kBeta);
  EXPECT_EQ(now["spec"]["updateStrategy"]["rollingUpdate"]["inPlaceUpdateStrategy"], json({{"imagePreDownloadParallelism", 3}}));
  EXPECT_EQ(converted(now, kAlpha)["metadata"]["annotations"], annotations);
}

TEST(CloneSetConversion, TheSameVersionIsTheSameText) {
  const std::string odd = "{ \"apiVersion\": \"apps.kruise.io/v1beta1\", \"spec\": 7 }";
  EXPECT_EQ(convert_clone_set(odd, kBeta), odd);
}

TEST(CloneSetConversion, FaultsNameTheField) {
  const auto fault = [](const json& object, std::string_view version) -> std::string {
    try {
      return convert_clone_set(object.dump(), version);
    } catch (const DecodeError& error) {
      return error.text();
    }
  };
  EXPECT_THAT(fault("x", kBeta), HasSubstr("no JSON object"));
  EXPECT_THAT(fault(alpha({}), "apps.kruise.io/v2"), HasSubstr("\"apps.kruise.io/v2\" is not a version of CloneSet"));
  EXPECT_THAT(fault(alpha(3), kBeta), HasSubstr("spec: is no object"));
  EXPECT_THAT(fault(alpha({{"updateStrategy", {{"type", 3}}}}), kBeta), HasSubstr("spec.updateStrategy.type: is no text"));
  EXPECT_THAT(fault(alpha({{"scaleStrategy", {{"disablePVCReuse", "no"}}}}), kBeta),
              HasSubstr("spec.scaleStrategy.disablePVCReuse"));
  EXPECT_THAT(fault(beta({{"updateStrategy", {{"rollingUpdate", "x"}}}}), kAlpha),
              HasSubstr("spec.updateStrategy.rollingUpdate"));
  json foreign = beta({{"updateStrategy", rolling({{"inPlaceUpdateStrategy", {{"imagePreDownloadTimeoutSeconds", 1}}}})}});
  foreign["metadata"] = "web";
  EXPECT_THAT(fault(foreign, kAlpha), HasSubstr("metadata: is no object"));
}

/// A set that says all sorts of things; what v1beta1 has no place for is left to its own test.
json random_alpha(base::Random& random) {
  const auto maybe = [&] { return random.below(2) == 0; };
  json update = json::object();
  const std::array types = {"", "ReCreate", "InPlaceIfPossible", "InPlaceOnly"};
  if (maybe()) update["type"] = types.at(random.below(types.size()));
  if (maybe()) update["partition"] = maybe() ? json(random.below(9)) : json(std::to_string(random.below(100)) + "%");
  if (maybe()) update["maxUnavailable"] = random.below(9);
  if (maybe()) update["paused"] = maybe();
  if (maybe()) update["priorityStrategy"] = {{"orderPriority", {{{"orderedKey", "k"}}}}};
  if (maybe()) update["inPlaceUpdateStrategy"] = {{"gracePeriodSeconds", 1 + random.below(3)}};
  if (maybe()) update["addedLater"] = {{"deep", {1, 2}}};
  json scale = json::object();
  if (maybe()) scale["disablePVCReuse"] = maybe();
  if (maybe()) scale["podsToDelete"] = {"web-a"};
  if (maybe()) scale["excludePreparingDelete"] = maybe();
  json spec = {{"template", {{"spec", {{"containers", {{{"name", "main"}, {"unknown", {{"a", nullptr}}}}}}}}}}};
  if (maybe()) spec["replicas"] = random.below(20);
  if (maybe()) spec["updateStrategy"] = update;
  if (maybe()) spec["scaleStrategy"] = scale;
  json metadata = {{"name", "web"}};
  if (maybe()) metadata["annotations"] = {{"apps.kruise.io/image-predownload-parallelism", maybe() ? "3" : "30%"}};
  json object = alpha(spec, metadata);
  if (maybe()) object["status"] = {{"replicas", 3}};
  return object;
}

/// What both say when nothing is left unsaid.
json spelled_out(json object) {
  json& spec = object["spec"];
  if (!spec.contains("updateStrategy")) spec["updateStrategy"] = json::object();
  if (!spec["scaleStrategy"].contains("disablePVCReuse")) spec["scaleStrategy"]["disablePVCReuse"] = false;
  json& update = spec["updateStrategy"];
  if (update.value("type", "").empty()) update["type"] = "ReCreate";
  if (update.contains("inPlaceUpdateStrategy") && update["inPlaceUpdateStrategy"] == json({{"gracePeriodSeconds", 0}}))
    update.erase("inPlaceUpdateStrategy");
  return object;
}

TEST(CloneSetConversion, ThereAndBackAgainSaysTheSame) {
  base::Random random(5);
  for (int i = 0; i < 2000; ++i) {
    const json set = random_alpha(random);
    const json as_beta = converted(set, kBeta);
    ASSERT_EQ(as_beta["apiVersion"], kBeta);
    const json back = converted(as_beta, kAlpha);
    ASSERT_EQ(back, spelled_out(set)) << set;
    ASSERT_EQ(converted(back, kBeta), as_beta) << set;
  }
}

}  // namespace
}  // namespace kruise::api
