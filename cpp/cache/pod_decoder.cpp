#include "cache/pod_decoder.hpp"

#include <simdjson.h>

#include <array>
#include <utility>

#include "api/pod_parts.hpp"
#include "cache/page.hpp"
#include "cache/pod_reader.hpp"

namespace kruise::cache {
namespace {

namespace ondemand = simdjson::ondemand;

/// Every field that `PodReader` looks at.
constexpr std::array<std::string_view, 38> kFields{
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.resourceVersion",
    "metadata.generation",
    "metadata.creationTimestamp",
    "metadata.deletionTimestamp",
    "metadata.labels",
    "metadata.annotations",
    "metadata.finalizers",
    "metadata.ownerReferences[].apiVersion",
    "metadata.ownerReferences[].kind",
    "metadata.ownerReferences[].name",
    "metadata.ownerReferences[].uid",
    "metadata.ownerReferences[].controller",
    "metadata.ownerReferences[].blockOwnerDeletion",
    "spec.nodeName",
    "spec.containers[]",
    "spec.containers[].name",
    "spec.containers[].image",
    "spec.containers[].env[].name",
    "spec.containers[].env[].valueFrom.fieldRef.fieldPath",
    "spec.containers[].env[].valueFrom.configMapKeyRef.key",
    "spec.readinessGates[].conditionType",
    "spec.volumes[].persistentVolumeClaim.claimName",
    "status.phase",
    "status.conditions[].type",
    "status.conditions[].status",
    "status.conditions[].lastTransitionTime",
    "status.conditions[].reason",
    "status.conditions[].message",
    "status.containerStatuses[].name",
    "status.containerStatuses[].image",
    "status.containerStatuses[].imageID",
    "status.containerStatuses[].containerID",
    "status.containerStatuses[].ready",
    "status.containerStatuses[].restartCount",
    "status.initContainerStatuses[].restartCount",
};

class PodDecoder final : public Decoder<api::Pod> {
 public:
  Decoded decode(std::string_view json) override {
    ondemand::document document;
    ondemand::object root;
    simdjson::error_code code = parser_.iterate(padded(json)).get(document);
    if (code == simdjson::SUCCESS) code = document.get_object().get(root);
    if (code != simdjson::SUCCESS) return syntax_error(code);
    if (!reader_.read(root, json, view_)) return reader_.error();
    if (!at_end(document)) return api::DecodeError{"", "not JSON: something follows the object", true};
    return finished();
  }

  base::Result<ListMeta, api::DecodeError> decode_page(std::string_view page, const Each& each) override {
    // The usual page is read in one pass. An item at fault leaves the pass, and a second one, that can tell items apart, goes on
    // with it.
    std::size_t done = 0;
    bool fault = false;
    auto meta = walk_page(page_parser_, page, [&](ondemand::object item) {
      fault = !reader_.read(item, page, view_) || view_.name.empty();
      if (fault) return simdjson::INCORRECT_TYPE;
      each(finished(), {});
      ++done;
      return simdjson::SUCCESS;
    });
    if (!fault) return meta;
    std::size_t index = 0;
    return for_each_item(page, [&](std::string_view json) {
      if (index++ >= done) each(decode(json), json);
    });
  }

  std::size_t bytes_of(const api::Pod& pod, std::string_view) const override { return pod.own_bytes(); }
  std::size_t shared_bytes() const override { return pool_.bytes(); }
  void trim() override {
    pool_.trim();
    page_parser_ = ondemand::parser();
  }

 private:
  Decoded finished() {
    if (view_.name.empty()) return api::DecodeError{"metadata.name", "a pod without a name", true};
    return Decoded(pool_.make(view_));
  }

  ondemand::parser parser_, page_parser_;
  PodReader reader_;
  api::PodView view_;
  api::PodPool pool_;
};

}  // namespace

std::unique_ptr<Decoder<api::Pod>> pod_decoder() { return std::make_unique<PodDecoder>(); }

std::span<const std::string_view> decoded_pod_fields() { return kFields; }

}  // namespace kruise::cache
