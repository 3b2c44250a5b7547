// A type and trees drawn from a seed, for the laws that fields must keep whatever the object.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "api/schema.hpp"
#include "base/random.hpp"
#include "cluster/fields/compare.hpp"
#include "cluster/fields/field_type.hpp"

namespace kruise::cluster::fields::testing {

inline const FieldType& pod_type() { return FieldType::of(*api::core_type("", "v1", "Pod")); }

/// A part of a pod: containers, ports, labels and finalizers that come and go.
inline Json random_pod(base::Random& random) {
  Json pod = Json::object();
  const auto maybe = [&] { return random.below(2) == 0; };
  const auto word = [&] { return std::string(1, static_cast<char>('a' + random.below(4))); };
  for (int i = 0; i < 3; ++i) {
    if (maybe()) pod["metadata"]["labels"][word()] = word();
  }
  for (const char* finalizer : {"x/a", "x/b"}) {
    if (maybe()) pod["metadata"]["finalizers"].push_back(finalizer);
  }
  for (const char* name : {"main", "side", "third"}) {
    if (!maybe()) continue;
    Json container = {{"name", name}, {"image", word()}};
    if (maybe()) container["command"] = Json::array({word(), word()});
    if (maybe()) container["ports"].push_back({{"containerPort", 80 + random.below(2)}, {"protocol", "TCP"}});
    if (maybe()) container["resources"]["limits"]["cpu"] = word();
    pod["spec"]["containers"].push_back(std::move(container));
  }
  if (maybe()) pod["spec"]["nodeSelector"][word()] = word();
  if (maybe()) pod["spec"]["hostNetwork"] = maybe();
  return pod;
}

/// Any set: what some pod sets, or what differs between two.
inline FieldSetPtr random_set(base::Random& random) {
  const Json a = random_pod(random);
  if (random.below(2) == 0) return fields_of(a, pod_type());
  const Changes changes = compare(a, random_pod(random), pod_type());
  return unite(unite(changes.added, changes.removed), changes.modified);
}

}  // namespace kruise::cluster::fields::testing
