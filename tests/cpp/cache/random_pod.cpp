#include "cache/random_pod.hpp"

#include <algorithm>
#include <functional>

#include "api/names.hpp"
#include "api/pod.hpp"

namespace kruise::cache {
namespace {

using Json = nlohmann::json;
using base::Random;
using Make = std::function<Json(Random&)>;

/// Mostly what `make` makes, at times nothing, null or nothing in it.
void maybe(Json& object, Random& random, const std::string& key, const Make& make) {
  switch (random.below(8)) {
    case 0:
      return;
    case 1:
      object[key] = nullptr;
      return;
    default:
      object[key] = make(random);
  }
}

Json word(Random& random) {
  static const std::vector<std::string> kWords{"",
                                               "a",
                                               "web",
                                               "web-x7k2p",
                                               "with \"quotes\" and \\",
                                               "line\nbreak",
                                               "\xc3\xbc\xe2\x82\xac",
                                               "tab\t",
                                               "/slash/",
                                               "a-rather-long-word-that-does-not-fit-into-a-small-string",
                                               "\xf0\x9f\x98\x80"};
  return kWords[random.below(kWords.size())];
}

std::string hex(Random& random, std::size_t digits) {
  std::string text;
  while (text.size() < digits) text += "0123456789abcdef"[random.below(16)];
  return text;
}

Json uid(Random& random) {
  if (random.below(4) == 0) return word(random);
  if (random.below(8) == 0) return "00000000-0000-0000-0000-000000000000";
  std::string text = hex(random, 8) + "-" + hex(random, 4) + "-" + hex(random, 4) + "-" + hex(random, 4) + "-" + hex(random, 12);
  if (random.below(6) == 0) std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

Json container_id(Random& random) {
  if (random.below(4) == 0) return word(random);
  static const std::vector<std::string> kRuntimes{"containerd://", "docker://", "cri-o://", "other://", ""};
  return kRuntimes[random.below(kRuntimes.size())] + hex(random, random.below(5) == 0 ? 63 : 64);
}

Json time(Random& random) {
  static const std::vector<std::string> kTimes{"2021-03-01T08:00:00Z",        "1970-01-01T00:00:00Z",      "2024-02-29T23:59:59Z",
                                               "2024-02-29T23:59:59.123456Z", "2024-03-01T01:00:00+02:00", ""};
  return kTimes[random.below(kTimes.size())];
}

Json flag(Random& random) { return random.below(2) == 0; }
Json small(Random& random) { return random.below(1000); }
Json truth(Random& random) { return std::vector<std::string>{"True", "False", "Unknown", "", "other"}[random.below(5)]; }

Make list_of(Make item) {
  return [item = std::move(item)](Random& random) {
    Json list = Json::array();
    for (std::uint64_t n = random.below(4); n > 0; --n) list.push_back(item(random));
    return list;
  };
}

/// Members that nobody reads, some with the names of those that are read elsewhere.
void noise(Json& object, Random& random) {
  static const std::vector<std::string> kNames{"x", "specX", "names", "managed", "unknown\"key", ""};
  for (std::uint64_t n = random.below(3); n > 0; --n) {
    Json deep{{"name", {1, 2.5, -3e7, true, nullptr}}, {"image", {{"deep", Json::array({Json::object(), "]}\"\\"})}}}};
    object[kNames[random.below(kNames.size())]] = random.below(2) == 0 ? deep : word(random);
  }
}

Json string_map(Random& random, const std::vector<std::string>& usual, const std::string& pod_name) {
  Json map = Json::object();
  for (std::uint64_t n = random.below(6); n > 0; --n) {
    const std::string key = random.below(2) == 0 ? usual[random.below(usual.size())]
                                                 : "k" + std::to_string(random.below(5)) + word(random).get<std::string>();
    map[key] = random.below(8) == 0 ? Json(nullptr) : random.below(5) == 0 ? Json("of-" + pod_name) : word(random);
  }
  return map;
}

Json owner(Random& random) {
  Json owner = Json::object();
  for (const char* key : {"apiVersion", "kind", "name"}) maybe(owner, random, key, word);
  maybe(owner, random, "uid", uid);
  maybe(owner, random, "controller", flag);
  maybe(owner, random, "blockOwnerDeletion", flag);
  noise(owner, random);
  return owner;
}

Json variable(Random& random) {
  static const std::vector<std::string> kPaths{"metadata.name",
                                               "metadata.labels['app']",
                                               "metadata.annotations['other']",
                                               "metadata.annotations['k1web']",
                                               "metadata.annotations['']",
                                               ""};
  static const std::vector<std::string> kBarriers{"p_7", "p_-3", "p_x", "p_", "7"};
  Json variable = Json::object();
  maybe(variable, random, "name", [](Random& r) { return r.below(3) == 0 ? Json("KRUISE_CONTAINER_BARRIER") : word(r); });
  maybe(variable, random, "value", word);
  maybe(variable, random, "valueFrom", [](Random& r) {
    Json source = Json::object();
    if (r.below(2) == 0)
      maybe(source, r, "fieldRef", [](Random& rr) { return Json{{"fieldPath", kPaths[rr.below(kPaths.size())]}}; });
    if (r.below(2) == 0)
      maybe(source, r, "configMapKeyRef",
            [](Random& rr) { return Json{{"name", "x"}, {"key", kBarriers[rr.below(kBarriers.size())]}}; });
    noise(source, r);
    return source;
  });
  noise(variable, random);
  return variable;
}

Json container(Random& random) {
  Json container = Json::object();
  maybe(container, random, "name", word);
  maybe(container, random, "image", word);
  maybe(container, random, "env", list_of(variable));
  noise(container, random);
  return container;
}

Json gate(Random& random) {
  Json gate = Json::object();
  maybe(gate, random, "conditionType", word);
  return gate;
}

Json volume(Random& random) {
  Json volume{{"name", "v"}};
  maybe(volume, random, "persistentVolumeClaim", [](Random& r) {
    Json claim = Json::object();
    maybe(claim, r, "claimName", word);
    return claim;
  });
  return volume;
}

Json condition(Random& random) {
  Json condition = Json::object();
  maybe(condition, random, "type",
        [](Random& r) { return Json(std::vector<std::string>{"Ready", "KruisePodReady", "Odd"}[r.below(3)]); });
  maybe(condition, random, "status", truth);
  maybe(condition, random, "lastTransitionTime", time);
  maybe(condition, random, "reason", word);
  maybe(condition, random, "message", word);
  noise(condition, random);
  return condition;
}

Json container_status(Random& random) {
  Json status = Json::object();
  for (const char* key : {"name", "image", "imageID"}) maybe(status, random, key, word);
  maybe(status, random, "containerID", container_id);
  maybe(status, random, "ready", flag);
  maybe(status, random, "restartCount", small);
  noise(status, random);
  return status;
}

}  // namespace

Json random_pod(Random& random) {
  static const std::vector<std::string> kLabels{"app", std::string(api::kLabelInstanceId), std::string(api::kLabelRevision),
                                                "statefulset.kubernetes.io/pod-name"};
  std::vector<std::string> annotations{"other"};
  for (const auto kept : api::kept_pod_annotations()) annotations.emplace_back(kept);

  Json pod{{"kind", "Pod"}, {"apiVersion", "v1"}};
  const std::string name = "pod-" + hex(random, random.below(4) + 1);
  Json metadata{{"name", name}};
  maybe(metadata, random, "namespace", word);
  maybe(metadata, random, "uid", uid);
  maybe(metadata, random, "resourceVersion", [](Random& r) { return Json(std::to_string(1 + r.below(1000000))); });
  maybe(metadata, random, "generation", small);
  maybe(metadata, random, "creationTimestamp", time);
  maybe(metadata, random, "deletionTimestamp", time);
  maybe(metadata, random, "labels", [&](Random& r) { return string_map(r, kLabels, name); });
  maybe(metadata, random, "annotations", [&](Random& r) { return string_map(r, annotations, name); });
  maybe(metadata, random, "finalizers", list_of(word));
  maybe(metadata, random, "ownerReferences", list_of(owner));
  maybe(metadata, random, "managedFields", list_of([](Random& r) {
          Json fields = Json::object();
          noise(fields, r);
          return fields;
        }));
  noise(metadata, random);
  pod["metadata"] = std::move(metadata);
  maybe(pod, random, "spec", [](Random& r) {
    Json spec = Json::object();
    maybe(spec, r, "nodeName", word);
    maybe(spec, r, "containers", list_of(container));
    maybe(spec, r, "readinessGates", list_of(gate));
    maybe(spec, r, "volumes", list_of(volume));
    noise(spec, r);
    return spec;
  });
  maybe(pod, random, "status", [](Random& r) {
    Json status = Json::object();
    maybe(status, r, "phase", [](Random& rr) {
      return Json(std::vector<std::string>{"Running", "Pending", "Succeeded", "Failed", "Unknown", "", "Odd"}[rr.below(7)]);
    });
    maybe(status, r, "conditions", list_of(condition));
    maybe(status, r, "containerStatuses", list_of(container_status));
    maybe(status, r, "initContainerStatuses", list_of(container_status));
    noise(status, r);
    return status;
  });
  noise(pod, random);
  return pod;
}

std::string shuffled_text(const Json& tree, Random& random) {
  const auto space = [&] { return random.below(6) == 0 ? " " : random.below(12) == 0 ? "\n\t" : ""; };
  if (tree.is_object()) {
    std::vector<std::string> members;
    for (const auto& [key, value] : tree.items())
      members.push_back(Json(key).dump() + space() + ":" + space() + shuffled_text(value, random));
    for (std::size_t i = members.size(); i > 1; --i) std::swap(members[i - 1], members[random.below(i)]);
    std::string text = "{";
    for (const auto& member : members) text += (text.size() > 1 ? "," : "") + std::string(space()) + member + space();
    return text + "}";
  }
  if (tree.is_array()) {
    std::string text = "[";
    for (const auto& item : tree)
      text += (text.size() > 1 ? "," : "") + std::string(space()) + shuffled_text(item, random) + space();
    return text + "]";
  }
  const bool ascii = random.below(2) == 0;  // é or its bytes
  return tree.dump(-1, ' ', ascii);
}

}  // namespace kruise::cache
