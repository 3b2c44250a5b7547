#include "cluster/metadata.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"
#include "base/time.hpp"
#include "cluster/declared_text.hpp"
#include "cluster/name_rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr std::size_t kNameBytesMax = 63;
constexpr std::string_view kImmutable = "field is immutable";

void validate_owners(const Json& owners, FieldErrors& errors) {
  if (!owners.is_array()) return;
  const std::string at = "metadata.ownerReferences";
  std::string controller;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const Json& owner = owners[i];
    const auto need = [&](std::string_view field, std::string_view detail) {
      if (text_of(owner, field).empty()) errors.invalid(child(at, field), std::string(text_of(owner, field)), detail);
    };
    need("apiVersion", "version must not be empty");
    need("kind", "must not be empty");
    need("name", "must not be empty");
    need("uid", "must not be empty");
    if (text_of(owner, "kind") == "Event" && text_of(owner, "apiVersion") == "v1") {
      errors.invalid_text(at, declared_text(owner, *api::part_type("OwnerReference")),
                          "/v1, Kind=Event is disallowed from being an owner");
    }
    if (!bool_of(owner, "controller")) continue;
    const std::string name = std::string(text_of(owner, "kind")) + "/" + std::string(text_of(owner, "name"));
    if (!controller.empty()) {
      errors.invalid_text(
          at, declared_text(owners, *api::part_type("OwnerReference")),
          "Only one reference can have Controller set to true. Found \"true\" in references for " + controller + " and " + name);
    }
    controller = name;
  }
}

void validate_finalizers(const Json& finalizers, FieldErrors& errors) {
  if (!finalizers.is_array()) return;
  for (std::size_t i = 0; i < finalizers.size(); ++i) {
    if (!finalizers[i].is_string()) continue;
    const auto& name = finalizers[i].get_ref<const std::string&>();
    const std::string at = "metadata.finalizers";
    for (const auto& complaint : check_qualified_name(name)) errors.invalid(at, finalizers[i], complaint);
    const bool standard = name == "orphan" || name == "foregroundDeletion" || name == "kubernetes";
    if (!standard && name.find('/') == std::string::npos) {
      errors.invalid(index(at, i), finalizers[i], "name is neither a standard finalizer name nor is it fully qualified");
    }
  }
}

bool contains(const Json* list, const Json& item) {
  return list != nullptr && list->is_array() && std::ranges::find(*list, item) != list->end();
}

/// An object being deleted takes no further finalizers.
void validate_new_finalizers(const Json& metadata, const Json& old, FieldErrors& errors) {
  const Json* finalizers = member(metadata, "finalizers");
  if (finalizers == nullptr || member(old, "deletionTimestamp") == nullptr) return;
  std::string added;
  for (const Json& finalizer : *finalizers) {
    if (contains(member(old, "finalizers"), finalizer)) continue;
    if (!added.empty()) added += ", ";
    base::append_json_string(added, finalizer.get_ref<const std::string&>());
  }
  if (added.empty()) return;
  errors.forbidden("metadata.finalizers",
                   "no new finalizers can be added if the object is being deleted, found new finalizers []string{" + added + "}");
}

/// The syntax of what changed; what was stored before is right.
void validate_changed(const Json& metadata, const Json& old, FieldErrors& errors) {
  const auto changed = [&](const char* name) {
    const Json* now = member(metadata, name);
    return now != nullptr && !same(now, member(old, name)) ? now : nullptr;
  };
  if (const Json* labels = changed("labels")) validate_labels(*labels, "metadata.labels", errors);
  if (const Json* annotations = changed("annotations")) validate_annotations(*annotations, "metadata.annotations", errors);
  if (const Json* owners = changed("ownerReferences")) validate_owners(*owners, errors);
}

}  // namespace

std::string fresh_uid(base::Random& random) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<std::uint64_t, 2> bits{random.next(), random.next()};
  bits[0] = (bits[0] & ~0xF000ULL) | 0x4000ULL;
  bits[1] = (bits[1] & ~(3ULL << 62)) | (2ULL << 62);
  std::string uid;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) uid += '-';
    uid += kHex[(bits[i / 16] >> (60 - 4 * (i % 16))) & 15];
  }
  return uid;
}

std::string generated_name(std::string_view base, base::Random& random) {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  constexpr std::size_t kSuffix = 5;
  std::string name(base.substr(0, kNameBytesMax - kSuffix));
  for (std::size_t i = 0; i < kSuffix; ++i) name += kLetters[random.below(kLetters.size())];
  return name;
}

void begin_life(Json& tree, std::string uid, base::Time now) {
  Json& metadata = object_in(tree, "metadata");
  for (const char* name : {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"})
    metadata.erase(name);
  metadata["uid"] = std::move(uid);
  metadata["creationTimestamp"] = base::format_time(now);
  tidy_metadata(metadata);
}

void keep_identity(Json& now, const Json& before) {
  Json& metadata = object_in(now, "metadata");
  const Json& old = before.at("metadata");
  for (const std::string_view name : {"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"}) {
    copy_member(metadata, old, name);
  }
  for (const std::string_view name : {"uid", "name", "namespace"}) {
    if (text_of(metadata, name).empty()) copy_member(metadata, old, name);
  }
  metadata.erase("selfLink");
  copy_member(metadata, old, "resourceVersion");
  tidy_metadata(metadata);
}

void tidy_metadata(Json& metadata) {
  auto& members = metadata.get_ref<Json::object_t&>();
  std::erase_if(members, [](const auto& entry) {
    const Json& value = entry.second;
    return empty_value(&value) || (value.is_string() && value.get_ref<const std::string&>().empty());
  });
}

void validate_metadata(const Kind& kind, const Json& tree, FieldErrors& errors) {
  const Json& metadata = tree.at("metadata");
  const std::string name(text_of(metadata, "name"));
  if (name.empty()) {
    errors.required("metadata.name", "name or generateName is required");
  } else {
    for (const auto& complaint : check_name(kind.traits().name_rule, name)) errors.invalid("metadata.name", name, complaint);
  }
  if (const Json* labels = member(metadata, "labels")) validate_labels(*labels, "metadata.labels", errors);
  if (const Json* annotations = member(metadata, "annotations"))
    validate_annotations(*annotations, "metadata.annotations", errors);
  if (const Json* owners = member(metadata, "ownerReferences")) validate_owners(*owners, errors);
  if (const Json* finalizers = member(metadata, "finalizers")) validate_finalizers(*finalizers, errors);
}

void validate_metadata_update(const Json& now, const Json& before, MetadataJudgings judgings, FieldErrors& errors) {
  const Json& metadata = now.at("metadata");
  const Json& old = before.at("metadata");
  const auto repeat = [&errors](int times, auto judge) {
    const std::size_t had = errors.causes().size();
    for (int i = 0; i == 0 || (i < times && errors.causes().size() > had); ++i) judge();
  };
  repeat(judgings.of_form, [&] {
    validate_changed(metadata, old, errors);
    const Json* finalizers = member(metadata, "finalizers");
    if (finalizers != nullptr && !same(finalizers, member(old, "finalizers"))) validate_finalizers(*finalizers, errors);
  });
  repeat(judgings.of_change, [&] {
    validate_new_finalizers(metadata, old, errors);
    for (const std::string_view name : {"name", "namespace", "uid"}) {
      if (text_of(metadata, name) != text_of(old, name))
        errors.invalid(child("metadata", name), std::string(text_of(metadata, name)), kImmutable);
    }
    validate_changed(metadata, old, errors);
  });
}

}  // namespace kruise::cluster
