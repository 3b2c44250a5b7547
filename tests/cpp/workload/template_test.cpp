#include "workload/template.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kruise::workload {
namespace {

using ::testing::HasSubstr;

TemplatePtr parsed(const std::string& text) { return *Template::parse(text); }

std::string with(const std::string& metadata, const std::string& spec) {
  return R"({"metadata":)" + metadata + R"(,"spec":)" + spec + "}";
}
const std::string kMeta = R"({"labels":{"app":"a"}})";
std::string container(const std::string& name, const std::string& image, const std::string& more = "") {
  return R"({"name":")" + name + R"(","image":")" + image + "\"" + more + "}";
}
std::string spec(const std::string& containers, const std::string& more = "") {
  return R"({"containers":[)" + containers + "]" + more + "}";
}

base::Result<InPlaceChange, std::string> change(const std::string& before, const std::string& after) {
  return parsed(after)->change_from(*parsed(before), {});
}

// CloneSet §27.5, with the next two.
TEST(TemplateTest, AnImageAloneIsAChangeInPlace) {
  const auto result = change(with(kMeta, spec(container("c1", "a:1"))), with(kMeta, spec(container("c1", "b:1"))));
  ASSERT_TRUE(result.ok()) << result.error();
  EXPECT_EQ(result->images, (std::map<std::string, std::string, std::less<>>{{"c1", "b:1"}}));
  EXPECT_TRUE(result->metadata.empty());
}

TEST(TemplateTest, MetadataChangesTravelAsAPatch) {
  const auto added = change(with(kMeta, spec(container("c1", "a:1"))),
                            with(R"({"labels":{"app":"a","k1":"v1"}})", spec(container("c1", "b:1"))));
  ASSERT_TRUE(added.ok());
  EXPECT_EQ(added->metadata.text(), R"({"metadata":{"labels":{"k1":"v1"}}})");

  const auto dropped = change(with(R"({"labels":{"app":"a","k2":"x"},"finalizers":["f1","f2"]})", spec(container("c1", "a:1"))),
                              with(R"({"labels":{"app":"a"},"finalizers":["f2"]})", spec(container("c1", "a:1"))));
  ASSERT_TRUE(dropped.ok());
  EXPECT_EQ(
      dropped->metadata.text(),
      R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["f1"],"$setElementOrder/finalizers":["f2"],"labels":{"k2":null}}})");
  EXPECT_TRUE(dropped->images.empty());

  // A map that goes as a whole goes key by key: keys of others stay on the pod.
  const auto all = change(with(R"({"labels":{"app":"a"},"annotations":{"x":"1","y":"2"}})", spec(container("c1", "a:1"))),
                          with(kMeta, spec(container("c1", "a:1"))));
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->metadata.text(), R"({"metadata":{"annotations":{"x":null,"y":null}}})");
}

TEST(TemplateTest, EverythingElseIsNotInPlaceAndSaysWhy) {
  const std::string base = with(kMeta, spec(container("c1", "a:1") + "," + container("c2", "a:1")));
  struct Case {
    std::string after;
    const char* why;
  };
  const Case cases[] = {
      {with(kMeta, spec(container("c1", "a:1", R"(,"env":[{"name":"E","value":"2"}])") + "," + container("c2", "a:1"))),
       "spec.containers[0].env"},
      {with(kMeta,
            spec(container("c1", "a:1") + "," + container("c2", "a:1"), R"(,"initContainers":[{"name":"i","image":"x:1"}])")),
       "spec.initContainers"},
      {with(kMeta, spec(container("c2", "a:1") + "," + container("c1", "a:1"))), "spec.containers[0].name"},
      {with(kMeta, spec(container("c1", "a:1"))), "spec.containers"},
      {with(kMeta, spec(container("c1", "a:1") + "," + container("c3", "a:1"))), "spec.containers[1]"},
      {with(kMeta, spec(container("c1", "a:1", R"(,"resources":{"limits":{"cpu":"1"}})") + "," + container("c2", "a:1"))),
       "spec.containers[0].resources"},
      {with(kMeta, spec(container("c1", "a:1") + "," + container("c2", "a:1"), R"(,"fieldOfTomorrow":1)")),
       "spec.fieldOfTomorrow"},
      {with(kMeta, spec(R"({"name":"c1"},)" + container("c2", "a:1"))), "spec.containers[0].image"},
  };
  for (const auto& c : cases) {
    const auto result = change(base, c.after);
    ASSERT_FALSE(result.ok()) << c.why;
    EXPECT_THAT(result.error(), HasSubstr(c.why));
  }
  const auto init = [](const char* image) {
    return with(kMeta,
                spec(container("c1", "a:1"), std::string(R"(,"initContainers":[{"name":"i","image":")") + image + R"("}])"));
  };
  EXPECT_FALSE(change(init("x:1"), init("x:2")).ok());
}

TEST(TemplateTest, DefaultsAndSpellingsAreNoDifference) {
  const auto plain = parsed(with(kMeta, spec(container("main", "nginx:1", R"(,"resources":{"limits":{"cpu":"1"}})"))));
  const auto defaulted = parsed(
      with(R"({"creationTimestamp":null,"labels":{"app":"a"}})",
           spec(container("main", "nginx:1", R"(,"imagePullPolicy":"Always","resources":{"limits":{"cpu":"1000m"}},
                                            "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File")"),
                R"(,"dnsPolicy":"ClusterFirst","restartPolicy":"Always","schedulerName":"default-scheduler","securityContext":{},
                                              "terminationGracePeriodSeconds":30)")));
  EXPECT_TRUE(plain->same_as(*defaulted, {}));
  EXPECT_TRUE(defaulted->same_as(*plain, {}));
  EXPECT_FALSE(parsed(with(kMeta, spec(container("main", "nginx:2"))))->same_as(*plain, {}));
  const auto moved = parsed(with(kMeta, spec(container("main", "nginx:2", R"(,"resources":{"limits":{"cpu":"1"}})"))))
                         ->change_from(*defaulted, {});
  EXPECT_TRUE(moved.ok());
}

TEST(TemplateTest, BadTextIsAnError) {
  EXPECT_FALSE(Template::parse("{").ok());
  EXPECT_FALSE(Template::parse("[]").ok());
  EXPECT_TRUE(Template::parse("").ok());
  EXPECT_FALSE((*Template::parse("{}"))->has_containers());
  TemplateCache cache;
  EXPECT_FALSE(cache.of_text("nonsense").ok());
  api::Revision revision;
  EXPECT_FALSE(cache.of_revision(revision).ok());
}

TEST(TemplateCacheTest, ParsesATextOnce) {
  TemplateCache cache;
  const std::string text = with(kMeta, spec(container("main", "nginx:1")));
  EXPECT_EQ(*cache.of_text(text), *cache.of_text(text));
  api::Revision revision;
  revision.data.text = parsed(text)->revision_data();
  const auto of_revision = cache.of_revision(revision);
  ASSERT_TRUE(of_revision.ok());
  EXPECT_TRUE((*cache.of_text(text))->same_as(**of_revision, {}));
}

}  // namespace
}  // namespace kruise::workload
