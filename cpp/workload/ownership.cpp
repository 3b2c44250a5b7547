#include "workload/ownership.hpp"

#include "api/decode.hpp"
#include "base/json_writer.hpp"
#include "workload/pod_patch.hpp"

namespace kruise::workload {

Ownership ownership_of(const api::Pod& pod, std::string_view owner_uid, const api::Selector& selector, bool being_deleted) {
  const bool selected = selector.matches([&pod](std::string_view key) { return pod.label(key); });
  if (pod.controlled_by(owner_uid)) {
    if (selected) return Ownership::kOwned;
    return being_deleted ? Ownership::kForeign : Ownership::kRelease;
  }
  if (!selected || being_deleted || pod.deletion() || pod.controller() || !pod.owned_by(owner_uid)) return Ownership::kForeign;
  return Ownership::kAdopt;
}

runtime::Write release(const api::Pod& pod, std::string_view owner_uid) {
  runtime::Write write = pod_write(pod, runtime::Write::Verb::kPatch, "release");
  base::JsonWriter w;
  w.begin_object().key("metadata").begin_object().key("ownerReferences").begin_array();
  w.begin_object().key("$patch").string("delete").key("uid").string(owner_uid).end_object();
  w.end_array().end_object().end_object();
  write.body = std::move(w).text();
  write.not_found_is_success = true;
  return write;
}

runtime::Write adopt(const api::Pod& pod, const api::OwnerReference& owner) {
  runtime::Write write = pod_write(pod, runtime::Write::Verb::kPatch, "adopt");
  base::JsonWriter w;
  w.begin_object().key("metadata").begin_object().key("ownerReferences").begin_array();
  api::write(w, owner);
  w.end_array().end_object().end_object();
  write.body = std::move(w).text();
  return write;
}

}  // namespace kruise::workload
