#include "cache/pod_decoder.hpp"

#include <gtest/gtest.h>

#include "api/names.hpp"
#include "base/printed_hash.hpp"
#include "cache/pod_reference.hpp"
#include "cache/random_pod.hpp"
#include "client/client.hpp"

namespace kruise::cache {
namespace {

using Json = nlohmann::json;

/// Decodes a text that is followed by as many bytes as the contract gives, and no more (sanitizers see a read past them).
Decoder<api::Pod>::Decoded decode(Decoder<api::Pod>& decoder, std::string_view text) {
  const auto bytes = std::make_unique<char[]>(text.size() + client::Client::kPadding);
  std::copy(text.begin(), text.end(), bytes.get());
  std::fill_n(bytes.get() + text.size(), client::Client::kPadding, '{');
  return decoder.decode({bytes.get(), text.size()});
}

TEST(PodDecoder, EqualsThePlainDecoderOnRandomPods) {
  const auto decoder = pod_decoder();
  for (std::uint64_t seed = 0; seed < 800; ++seed) {
    base::Random random(seed);
    const std::string text = shuffled_text(random_pod(random), random);
    const auto pod = decode(*decoder, text);
    ASSERT_TRUE(pod) << "seed " << seed << ": " << pod.error().text() << "\n" << text;
    api::PodFields wanted = reference_pod(text);
    // Of texts that the reference does not keep; see HashesContainersWhereANodeAgentReports.
    wanted.container_hashes = (*pod)->fields().container_hashes;
    const bool reported = wanted.meta.annotations.contains(std::string(api::kAnnotationRuntimeContainersMeta));
    ASSERT_EQ(wanted.container_hashes.size(), reported ? wanted.containers.size() : 0U) << "seed " << seed << "\n" << text;
    ASSERT_EQ((*pod)->fields(), wanted) << "seed " << seed << "\n" << text;
    ASSERT_EQ(**pod, api::Pod(wanted)) << "seed " << seed << ": a pod of plain fields is the same pod";
    for (const auto& [key, value] : wanted.meta.labels)
      ASSERT_EQ((*pod)->label(key), value) << "seed " << seed << " label " << key;
    for (const auto& [key, value] : wanted.meta.annotations) ASSERT_EQ((*pod)->annotation(key), value) << "seed " << seed;
  }
}

TEST(PodDecoder, DecodesPagesAsItDecodesPods) {
  const auto decoder = pod_decoder();
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    base::Random random(seed);
    std::vector<std::string> items;
    std::string page = R"({"kind":"PodList","metadata":{"resourceVersion":"77","continue":"next"},"items":[)";
    for (int i = 0; i < 8; ++i) {
      Json pod = random_pod(random);
      if (random.below(10) == 0) pod["spec"] = "of a wrong type";
      items.push_back(shuffled_text(pod, random));
      page += (i == 0 ? "" : ",") + items.back();
    }
    page += "]}\n" + std::string(client::Client::kPadding, '\0');
    std::size_t next = 0;
    const auto meta = decoder->decode_page(std::string_view(page).substr(0, page.size() - client::Client::kPadding),
                                           [&](Decoder<api::Pod>::Decoded decoded, std::string_view) {
                                             const auto alone = decode(*decoder, items[next++]);
                                             ASSERT_EQ(decoded.ok(), alone.ok());
                                             if (alone) {
                                               ASSERT_EQ(**decoded, **alone);
                                             } else {
                                               ASSERT_EQ(decoded.error(), alone.error());
                                             }
                                           });
    ASSERT_TRUE(meta) << meta.error().text();
    EXPECT_EQ(meta->version, 77U);
    EXPECT_EQ(meta->continue_token, "next");
    EXPECT_EQ(next, items.size());
  }
}

// CloneSet §19.7: the hash is of the JSON as the API server writes it, wherever the annotation stands.
TEST(PodDecoder, HashesContainersWhereANodeAgentReports) {
  const auto decoder = pod_decoder();
  const std::string plain = R"({"name":"main","image":"nginx:1","resources":{}})";
  const std::string odd = R"({"name":"odd","image":"x:1","args":["}{\"","\\"],"env":[{"name":"A","value":"{\\\""}]})";
  const std::string spec = R"("spec":{"containers":[)" + plain + " , " + odd + "]}";
  const std::string meta = R"("metadata":{"name":"web","annotations":{"apps.kruise.io/runtime-containers-meta":"{}"}})";
  const std::vector<std::uint32_t> wanted{3389287508U, base::printed_bytes_hash(odd)};
  for (const std::string& text : {"{" + meta + "," + spec + "}", "{" + spec + "," + meta + "}"}) {
    const auto pod = decode(*decoder, text);
    ASSERT_TRUE(pod) << pod.error().text();
    EXPECT_EQ((*pod)->fields().container_hashes, wanted);
    EXPECT_EQ((*pod)->container_hash(1), wanted[1]);
    EXPECT_EQ((*pod)->container_hash(2), std::nullopt);
    const std::string page = R"({"kind":"PodList","metadata":{"resourceVersion":"77"},"items":[)" + text + "]}" +
                             std::string(client::Client::kPadding, '\0');
    const auto listed =
        decoder->decode_page(std::string_view(page).substr(0, page.size() - client::Client::kPadding),
                             [&](Decoder<api::Pod>::Decoded item, std::string_view) { EXPECT_EQ(**item, **pod); });
    EXPECT_TRUE(listed);
  }
  const auto without = decode(*decoder, R"({"metadata":{"name":"web"},)" + spec + "}");
  EXPECT_EQ((*without)->container_hash(0), std::nullopt);
}

TEST(PodDecoder, CutTextIsASyntaxErrorAtEveryByte) {
  const auto decoder = pod_decoder();
  base::Random random(4);
  const std::string text = shuffled_text(random_pod(random), random);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto pod = decode(*decoder, std::string_view(text).substr(0, size));
    ASSERT_FALSE(pod) << "cut at " << size;
    ASSERT_TRUE(pod.error().syntax) << "cut at " << size << ": " << pod.error().text();
  }
  EXPECT_FALSE(decode(*decoder, text + "}"));
  EXPECT_FALSE(decode(*decoder, text + text));
}

TEST(PodDecoder, ChangedBytesNeverCrashIt) {
  const auto decoder = pod_decoder();
  for (std::uint64_t seed = 0; seed < 800; ++seed) {
    base::Random random(seed);
    std::string text = shuffled_text(random_pod(random), random);
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
      constexpr std::string_view kBytes = "{}[]\",:\\0n-e \n\xff";
      text[random.below(text.size())] = kBytes[random.below(kBytes.size())];
    }
    const auto pod = decode(*decoder, text);
    if (pod) {
      EXPECT_FALSE((*pod)->name().empty());
    }
  }
}

struct WrongType {
  const char* json;
  const char* path;
};
TEST(PodDecoder, NamesTheFieldOfAWrongType) {
  const auto decoder = pod_decoder();
  for (const auto& [json, path] : std::initializer_list<WrongType>{
           {R"({"metadata":[]})", "metadata"},
           {R"({"metadata":{"name":1}})", "metadata.name"},
           {R"({"metadata":{"name":"a","labels":{"x/y":{}}}})", "metadata.labels.x/y"},
           {R"({"metadata":{"name":"a","ownerReferences":[{},{"controller":"yes"}]}})", "metadata.ownerReferences[1].controller"},
           {R"({"metadata":{"name":"a","generation":1.5}})", "metadata.generation"},
           {R"({"metadata":{"name":"a","creationTimestamp":"yesterday"}})", "metadata.creationTimestamp"},
           {R"({"metadata":{"name":"a"},"spec":{"containers":{}}})", "spec.containers"},
           {R"({"metadata":{"name":"a"},"spec":{"containers":[7]}})", "spec.containers[0]"},
           {R"({"metadata":{"name":"a"},"spec":{"volumes":[{"persistentVolumeClaim":{"claimName":[]}}]}})",
            "spec.volumes[0].persistentVolumeClaim.claimName"},
           {R"({"metadata":{"name":"a"},"status":{"containerStatuses":[{"restartCount":99999999999}]}})",
            "status.containerStatuses[0].restartCount"},
           {R"({"metadata":{"name":"a"},"status":{"conditions":"none"}})", "status.conditions"},
       }) {
    const auto pod = decode(*decoder, json);
    ASSERT_FALSE(pod) << json;
    EXPECT_FALSE(pod.error().syntax) << json << ": " << pod.error().text();
    EXPECT_EQ(pod.error().path, path) << json;
    EXPECT_FALSE(pod.error().message.empty());
  }
}

TEST(PodDecoder, SharesWhatPodsHaveInCommonAndLetsItGo) {
  const auto decoder = pod_decoder();
  const auto make = [&](int revision, int instance) {
    const Json pod{{"metadata",
                    {{"name", "web-" + std::to_string(instance)},
                     {"namespace", "ns"},
                     {"uid", std::to_string(instance)},
                     {"labels",
                      {{"app", "web"},
                       {"rev", std::to_string(revision)},
                       {"apps.kruise.io/cloneset-instance-id", std::to_string(instance)}}}}},
                   {"spec",
                    {{"nodeName", "node-" + std::to_string(instance % 5)},
                     {"containers", {{{"name", "main"}, {"image", "web:" + std::to_string(revision)}}}}}}};
    return *decode(*decoder, pod.dump());
  };
  std::vector<api::PodPtr> pods;
  for (int i = 0; i < 1000; ++i) pods.push_back(make(1, i));
  const std::size_t one_revision = decoder->shared_bytes();
  EXPECT_LT(one_revision, 4000U) << "not a part a pod";
  for (int revision = 2; revision < 200; ++revision) {
    for (int i = 0; i < 10; ++i) pods[i] = make(revision, i);
  }
  EXPECT_LT(decoder->shared_bytes(), 6 * one_revision) << "parts of gone revisions are let go while new ones come";
  pods.clear();
  decoder->trim();
  EXPECT_EQ(decoder->shared_bytes(), 0U);
}

TEST(PodDecoder, PodsOutliveTheirDecoder) {
  api::PodPtr pod;
  {
    const auto decoder = pod_decoder();
    pod = *decode(*decoder, R"({"metadata":{"name":"a","namespace":"ns","labels":{"app":"web"}},"spec":{"nodeName":"n"}})");
  }
  EXPECT_EQ(pod->label("app"), "web");
  EXPECT_EQ(pod->node(), "n");
}

}  // namespace
}  // namespace kruise::cache
