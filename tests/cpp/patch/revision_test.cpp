#include "patch/revision.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "api/names.hpp"
#include "base/printed_hash.hpp"
#include "base/random.hpp"
#include "patch/canonical.hpp"
#include "patch/random_trees.hpp"
#include "patch/strategic.hpp"
#include "patch/template_form.hpp"

namespace kruise::patch {
namespace {

using nlohmann::json;

std::string hash_of(std::string_view template_text, std::int32_t collisions = 0) {
  return revision_hash(revision_data(template_text).value(), collisions);
}

// CloneSet §27.1.
TEST(Revision, HashesThePublishedVectors) {
  const char* const plain = R"({"metadata":{"labels":{"app":"a"}},"spec":{"containers":[{"name":"main","image":"nginx:1"}]}})";
  EXPECT_EQ(revision_data(plain).value(),
            R"({"spec":{"template":{"$patch":"replace","metadata":{"creationTimestamp":null,"labels":{"app":"a"}},)"
            R"("spec":{"containers":[{"image":"nginx:1","name":"main","resources":{}}]}}}})");
  EXPECT_EQ(hash_of(plain), "856b4d5f4d");
  EXPECT_EQ(hash_of(plain, 1), "856b4d5f4f");
  EXPECT_EQ(hash_of(R"({"metadata":{"labels":{"app":"a"}},"spec":{"containers":[{"name":"main","image":"nginx:1",
      "resources":{"requests":{"cpu":"1000m","memory":"1024Mi"},"limits":{"cpu":"0.5","memory":"1.5Gi"}}}]}})"),
            "7684c88c77");
  EXPECT_EQ(
      hash_of(R"({"metadata":{"labels":{"app":"a"}},"spec":{"hostNetwork":false,"containers":[{"name":"main","image":"nginx:1",
      "env":[{"name":"E","value":""}],"command":[],"tty":false}]}})"),
      "564f85667");
  EXPECT_EQ(hash_of(R"({"spec":{"terminationGracePeriodSeconds":30,"containers":[{"name":"main","image":"nginx:1",
      "livenessProbe":{"httpGet":{"port":"http","path":"/"}},"ports":[{"containerPort":80,"name":"http"}]}]}})"),
            "7c5844b749");
  for (const char* empty : {"", "{}", "null"}) {
    EXPECT_EQ(revision_data(empty).value(),
              R"({"spec":{"template":{"$patch":"replace","metadata":{"creationTimestamp":null},"spec":{"containers":null}}}})");
    EXPECT_EQ(hash_of(empty), "79b7c84989");
  }
}

TEST(Revision, CountsMembersThatNobodyKnows) {
  const std::string plain = R"({"spec":{"containers":[{"name":"main","image":"nginx:1"}]}})";
  const std::string odd = R"({"spec":{"containers":[{"name":"main","image":"nginx:1","fromTheFuture":{"deep":[1,null,""]}}]}})";
  EXPECT_NE(hash_of(plain), hash_of(odd));
  EXPECT_NE(revision_data(odd).value().find(R"("fromTheFuture":{"deep":[1,null,""]})"), std::string::npos);
  EXPECT_FALSE(same_template(plain, odd));
}

TEST(Revision, NormalFormKeepsWhatMeansSomething) {
  struct Case {
    const char* given;     // of the pod spec
    const char* expected;  // beside containers null
  };
  const Case cases[] = {
      {R"({"securityContext":{}})", R"({"securityContext":{}})"},
      {R"({"terminationGracePeriodSeconds":0,"priority":0,"automountServiceAccountToken":false})",
       R"({"terminationGracePeriodSeconds":0,"priority":0,"automountServiceAccountToken":false})"},
      {R"({"nodeSelector":{},"hostPID":false,"nodeName":"","tolerations":[],"dnsPolicy":null})", R"({})"},
      {R"({"volumes":[{"name":"a","emptyDir":{}},{"name":"b","hostPath":{"path":"/x","type":""}},{"name":"c","projected":{}}]})",
       R"({"volumes":[{"name":"a","emptyDir":{}},{"name":"b","hostPath":{"path":"/x","type":""}},{"name":"c","projected":{"sources":null}}]})"},
      {R"({"volumes":[{"name":"e","ephemeral":{"volumeClaimTemplate":{"spec":{"accessModes":["ReadWriteOnce"]}}}}]})",
       R"({"volumes":[{"name":"e","ephemeral":{"volumeClaimTemplate":{"metadata":{"creationTimestamp":null},"spec":{"accessModes":["ReadWriteOnce"],"resources":{}}}}}]})"},
      {R"({"affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"podAffinityTerm":{"labelSelector":{}}}]}}})",
       R"({"affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":0,"podAffinityTerm":{"labelSelector":{},"topologyKey":""}}]}}})"},
      {R"({"initContainers":[{"name":"i","securityContext":{"privileged":false,"capabilities":{}},"lifecycle":{"preStop":{"exec":{}}},"env":[{"name":"c","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}},{"name":"s","valueFrom":{"secretKeyRef":{"name":"s","optional":false}}}]}]})",
       R"({"initContainers":[{"name":"i","resources":{},"securityContext":{"privileged":false,"capabilities":{}},"lifecycle":{"preStop":{"exec":{}}},"env":[{"name":"c","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"0"}}},{"name":"s","valueFrom":{"secretKeyRef":{"name":"s","key":"","optional":false}}}]}]})"},
      {R"({"overhead":{"cpu":0.5,"memory":1024}})", R"({"overhead":{"cpu":"500m","memory":"1024"}})"},
  };
  for (const auto& c : cases) {
    json given;
    given["spec"] = json::parse(c.given);
    json expected = json::parse(c.expected);
    expected["containers"] = nullptr;
    EXPECT_EQ(json::parse(revision_data(given.dump()).value())["spec"]["template"]["spec"], expected) << c.given;
  }
}

TEST(Revision, RefusesWhatIsNoTemplate) {
  EXPECT_EQ(revision_data("[]").error().code, 400);
  EXPECT_EQ(revision_data("{").error().code, 400);
  EXPECT_EQ(template_of_revision("{}").error().code, 400);
  EXPECT_EQ(template_of_revision(R"({"spec":{"template":7}})").error().code, 400);
  EXPECT_EQ(template_of_revision(R"({"spec":{"template":{"$patch":"replace","spec":{"a":1}}}})").value(), R"({"spec":{"a":1}})");
}

TEST(Canonical, WritesNumbersAndTextAsGoDoes) {
  struct Case {
    const char* given;
    const char* written;
  };
  const Case cases[] = {
      {"1", "1"},
      {"-0.0", "-0"},
      {"1.0", "1"},
      {"0.1", "0.1"},
      {"1e21", "1e+21"},
      {"1e20", "100000000000000000000"},
      {"1e-6", "0.000001"},
      {"1e-7", "1e-7"},
      {"1.5e-10", "1.5e-10"},
      {"123.25", "123.25"},
      {"-0.00125", "-0.00125"},
      {"1200", "1200"},
      {"9007199254740993", "9007199254740992"},
      {"18446744073709551615", "18446744073709552000"},
      {"true", "true"},
      {"null", "null"},
      {R"({"b":1,"a":[{"d":1,"c":2}]})", R"({"a":[{"c":2,"d":1}],"b":1})"},
      {R"("<a> & \u2028\u2029 é \" \\ \n\t\u0001")", "\"\\u003ca\\u003e \\u0026 \\u2028\\u2029 é \\\" \\\\ \\n\\t\\u0001\""},
  };
  for (const auto& c : cases) EXPECT_EQ(canonical_text(std::string_view(c.given)).value(), c.written);
  EXPECT_EQ(canonical_text(std::string_view("{")).error().code, 400);
}

TEST(Canonical, SameTextLooksAtValues) {
  EXPECT_TRUE(same_text(R"({"a":1,"b":[1.0]})", R"({ "b":[1], "a":1 })"));
  EXPECT_FALSE(same_text(R"({"a":1})", R"({"a":1,"b":null})"));
  EXPECT_FALSE(same_text("{", "{"));
}

TEST(Hashes, OfPrintedBytes) {
  EXPECT_EQ(base::printed_bytes_hash("null"), 86995377U);
  EXPECT_EQ(base::printed_bytes_hash(R"({"name":"main","image":"nginx:1","resources":{}})"), 3389287508U);
}

// CloneSet §27.1 (claim templates).
// CloneSet §19.7.
TEST(Hashes, OfContainersAndTheirVariables) {
  EXPECT_EQ(container_hash("main", "nginx:1"), 1827770005U);
  const std::map<std::string, std::string, std::less<>> labels{{"k", "2"}, {"empty", ""}};
  const auto value_of = [&](api::MetadataMap map, std::string_view key) -> std::string_view {
    const auto found = labels.find(key);
    return map == api::MetadataMap::kLabels && found != labels.end() ? std::string_view(found->second) : "";
  };
  using api::MetadataMap;
  const auto hash = [&](std::vector<api::PodFields::MetadataEnv> variables) { return metadata_env_hash(variables, value_of); };
  EXPECT_EQ(hash({}), 86995377U);
  EXPECT_EQ(hash({{"x", MetadataMap::kLabels, "k"}}), 1050068622U);
  EXPECT_EQ(hash({{"SIDECARSET_VERSION", MetadataMap::kLabels, "k"}, {"SIDECARSET_VERSION_ALT", MetadataMap::kLabels, "k"}}),
            86995377U);
  EXPECT_EQ(hash({{"B", MetadataMap::kLabels, "k"}, {"A", MetadataMap::kAnnotations, "k"}}),
            base::printed_bytes_hash(R"([{"name":"A"},{"name":"B","value":"2"}])"));
  EXPECT_EQ(hash({{"A", MetadataMap::kLabels, "empty"}}), base::printed_bytes_hash(R"([{"name":"A"}])"));
}

TEST(Hashes, OfClaimTemplates) {
  const char* const claims =
      R"([{"metadata":{"name":"pvc-1","labels":{"ignored":"x"}},"spec":{"resources":{"requests":{"storage":"1Gi"},"limits":{"storage":"2048Mi"}},"accessModes":["ReadWriteOnce"]},"status":{"phase":"Pending"}}])";
  EXPECT_EQ(claim_templates_hash(claims).value(), "1129974074");
  EXPECT_EQ(claim_templates_hash("").value(), "");
  EXPECT_EQ(claim_templates_hash("[]").value(), "");
  EXPECT_EQ(claim_templates_hash("{}").error().code, 400);
  EXPECT_EQ(claim_templates_hash("[1]").error().code, 400);
}

struct Difference {
  const char* name;
  const char* stored;
  const char* current;
  bool same;
  std::optional<std::int32_t> level = {};
};
const Difference kDifferences[] = {
    {"order_of_members", R"({"spec":{"a":1,"containers":[]}})", R"({"spec":{"containers":[],"a":1}})", true},
    {"creation_timestamp", R"({"metadata":{"creationTimestamp":null}})", R"({})", true},
    {"quantities", R"({"spec":{"containers":[{"name":"m","resources":{"limits":{"cpu":"1"}}}]}})",
     R"({"spec":{"containers":[{"name":"m","resources":{"limits":{"cpu":"1000m"}}}]}})", true},
    {"rounded_quantity", R"({"spec":{"containers":[{"name":"m","resources":{"limits":{"cpu":"1m"}}}]}})",
     R"({"spec":{"containers":[{"name":"m","resources":{"limits":{"cpu":"500u"}}}]}})", true},
    {"defaults",
     R"({"spec":{"containers":[{"name":"m","image":"a:1","ports":[{"containerPort":80}],"livenessProbe":{"httpGet":{"port":80}}}],"volumes":[{"name":"v"},{"name":"s","secret":{}}]}})",
     R"({"spec":{"restartPolicy":"Always","dnsPolicy":"ClusterFirst","schedulerName":"default-scheduler","terminationGracePeriodSeconds":30,"securityContext":{},"enableServiceLinks":true,
        "containers":[{"name":"m","image":"a:1","imagePullPolicy":"Always","terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File",
          "ports":[{"containerPort":80,"protocol":"TCP"}],"livenessProbe":{"httpGet":{"port":80,"path":"/","scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}}],
        "volumes":[{"name":"v","emptyDir":{}},{"name":"s","secret":{"defaultMode":420}}]}})",
     true},
    {"pull_policy_of_containers", R"({"spec":{"containers":[{"name":"m","image":"a:1"}]}})",
     R"({"spec":{"containers":[{"name":"m","image":"a:1","imagePullPolicy":"IfNotPresent"}]}})", false},
    {"pull_policy_of_init_containers", R"({"spec":{"initContainers":[{"name":"m","image":"a:1"},{"name":"l","image":"b"}]}})",
     R"({"spec":{"initContainers":[{"name":"m","image":"a:1","imagePullPolicy":"IfNotPresent"},{"name":"l","image":"b","imagePullPolicy":"Always"}]}})",
     true},
    {"host_port", R"({"spec":{"hostNetwork":true,"containers":[{"name":"m","ports":[{"containerPort":80}]}]}})",
     R"({"spec":{"hostNetwork":true,"containers":[{"name":"m","ports":[{"containerPort":80,"hostPort":80}]}]}})", true},
    {"host_port_without_host_network", R"({"spec":{"containers":[{"name":"m","ports":[{"containerPort":80}]}]}})",
     R"({"spec":{"containers":[{"name":"m","ports":[{"containerPort":80,"hostPort":80}]}]}})", false},
    {"grace_period", R"({"spec":{}})", R"({"spec":{"terminationGracePeriodSeconds":31}})", false},
    {"image", R"({"spec":{"containers":[{"name":"m","image":"a:1"}]}})",
     R"({"spec":{"containers":[{"name":"m","image":"a:2"}]}})", false},
    {"label", R"({"metadata":{"labels":{"a":"1"}}})", R"({"metadata":{"labels":{"a":"2"}}})", false},
    {"too_new_for_0_8", R"({"spec":{"containers":[{"name":"m"}]}})",
     R"({"spec":{"setHostnameAsFQDN":true,"containers":[{"name":"m","odd":1}]}})", true, 16},
    {"too_new_but_ours", R"({"spec":{"containers":[{"name":"m"}]}})",
     R"({"spec":{"setHostnameAsFQDN":true,"containers":[{"name":"m"}]}})", false},
    {"old_enough_for_1_7", R"({"spec":{"containers":[{"name":"m"}]}})",
     R"({"spec":{"setHostnameAsFQDN":true,"containers":[{"name":"m"}]}})", false, 28},
    {"too_new_but_known_after_all", R"({"spec":{"setHostnameAsFQDN":false}})", R"({"spec":{"setHostnameAsFQDN":true}})", false,
     16},
    {"dropped_by_the_user", R"({"spec":{"odd":1}})", R"({"spec":{}})", false, 16},
    {"new_source_of_a_volume", R"({"spec":{"volumes":[{"name":"v"}]}})",
     R"({"spec":{"volumes":[{"name":"v","image":{"reference":"x"}}]}})", true, 16},
    {"old_member_added", R"({"spec":{}})", R"({"spec":{"hostPID":true}})", false, 16},
    {"no_json", "{", "{}", false},
};

class SameTemplate : public testing::TestWithParam<Difference> {};
TEST_P(SameTemplate, Tells) {
  const auto& c = GetParam();
  EXPECT_EQ(same_template(c.stored, c.current, c.level), c.same);
  if (!c.level) {
    EXPECT_EQ(same_template(c.current, c.stored), c.same);
  }
}
INSTANTIATE_TEST_SUITE_P(Table, SameTemplate, testing::ValuesIn(kDifferences), [](const auto& info) { return info.param.name; });

TEST(NormalForm, IsReachedInOneStep) {
  const api::TypeInfo& type = *api::part_type("core_v1.PodTemplateSpec");
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    base::Random random(seed);
    const json given = test::random_of_type(random, type, 6);
    json once = given;
    normalise(once, type);
    json twice = once;
    normalise(twice, type);
    ASSERT_EQ(once, twice) << "seed " << seed << "\n" << given;
    fill_template_defaults(twice);
    json filled_twice = twice;
    fill_template_defaults(filled_twice);
    ASSERT_EQ(twice, filled_twice) << "seed " << seed << "\n" << given;
    ASSERT_TRUE(same_template(given.dump(), once.dump())) << "seed " << seed << "\n" << given;
    ASSERT_TRUE(same_template(given.dump(), twice.dump())) << "seed " << seed << "\n" << given;
    ASSERT_EQ(revision_data(given.dump()).value(), revision_data(once.dump()).value()) << "seed " << seed;
  }
}

TEST(RevisionFuzz, DamagedTemplatesNeverCrash) {
  const api::TypeInfo& type = *api::part_type("core_v1.PodTemplateSpec");
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    base::Random random(seed);
    json tree = test::random_of_type(random, type, 6);
    for (int damage = 0; damage < 4; ++damage) tree = test::mutated(std::move(tree), random);
    const std::string text = tree.dump();
    const auto data = revision_data(text);
    ASSERT_EQ(data.ok(), tree.is_object() || tree.is_null()) << "seed " << seed;
    if (data.ok()) {
      EXPECT_TRUE(template_of_revision(data.value()).ok());
    }
    const auto result = revision_data(test::damaged(text, random));
    EXPECT_TRUE(result.ok() || result.error().code == 400) << "seed " << seed;
    EXPECT_TRUE(same_template(text, text, 16)) << "seed " << seed;
    EXPECT_FALSE(same_template(text, R"({"metadata":{"labels":{"no":"such"}}})", 16)) << "seed " << seed;
  }
}

/// Clusters left by other managers: every set's template must be that of its newest revision, and every hash must be ours.
class Takeover : public testing::TestWithParam<const char*> {};
TEST_P(Takeover, FindsItsRevisions) {
  std::ifstream file(std::string(KRUISE_SOURCE_DIR) + "/tests/data/takeover/" + GetParam());
  const json list = json::parse(file);
  std::map<std::string, json> revisions;
  int hashed = 0;
  for (const auto& item : list["items"]) {
    if (item["kind"] != "ControllerRevision") continue;
    const std::string name = item["metadata"]["name"];
    revisions[name] = item;
    const std::string owner = item["metadata"]["ownerReferences"][0]["kind"];
    if (owner == "DaemonSet") continue;  // hashed over a structure in that manager's memory
    EXPECT_TRUE(name.ends_with("-" + revision_hash(canonical_text(item["data"]), 0))) << name;
    ++hashed;
  }
  EXPECT_GE(hashed, 15);
  int compared = 0;
  for (const auto& item : list["items"]) {
    if (item["kind"] != "CloneSet" && item["kind"] != "StatefulSet") continue;
    const std::string pod_template = item["spec"]["template"].dump();
    const json& revision = revisions.at(item["status"]["updateRevision"]);
    const std::string data = revision["data"].dump();
    EXPECT_EQ(revision_data(pod_template).value(), canonical_text(revision["data"])) << item["metadata"]["name"];
    EXPECT_TRUE(same_template(template_of_revision(data).value(), pod_template)) << item["metadata"]["name"];
    const api::StringMap annotations = revision["metadata"].value("annotations", api::StringMap());
    EXPECT_EQ(writer_level(annotations), std::string_view(GetParam()) == "v1.9.0.json" && item["kind"] == "CloneSet" ? 28 : 16);
    if (annotations.contains(api::kAnnotationClaimTemplateHash)) {
      EXPECT_EQ(claim_templates_hash(item["spec"].value("volumeClaimTemplates", json()).dump()).value(),
                annotations.at(std::string(api::kAnnotationClaimTemplateHash)));
    }
    ++compared;
  }
  EXPECT_GE(compared, 8);
}
INSTANTIATE_TEST_SUITE_P(Fixtures, Takeover, testing::Values("v0.8.0.json", "v1.0.1.json", "v1.9.0.json"),
                         [](const auto& info) { return "From" + std::to_string(info.index); });

/// The patch of metadata between two revisions, as in-place updates send it.
TEST(MetadataPatch, RemovesDroppedKeysAndFinalizers) {
  EXPECT_EQ(
      json::parse(strategic::diff_text(R"({"metadata":{"labels":{"k1":"v1","k2":"v2"},"finalizers":["f1","f2"]}})",
                                       R"({"metadata":{"labels":{"k1":"v1"},"finalizers":["f2"]}})",
                                       api::core_type("", "v1", "Pod"))
                      .value()),
      json::parse(
          R"({"metadata":{"labels":{"k2":null},"$deleteFromPrimitiveList/finalizers":["f1"],"$setElementOrder/finalizers":["f2"]}})"));
  EXPECT_EQ(strategic::diff_text(R"({"metadata":{}})", R"({"metadata":{"labels":{"k1":"v1"}}})", api::core_type("", "v1", "Pod"))
                .value(),
            R"({"metadata":{"labels":{"k1":"v1"}}})");
}

}  // namespace
}  // namespace kruise::patch
