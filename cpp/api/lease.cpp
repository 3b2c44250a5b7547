#include "api/lease.hpp"

#include "base/json_writer.hpp"

namespace kruise::api {

template <>
Lease decode<Lease>(std::string_view json) {
  Lease lease;
  JsonReader in(json);
  in.object([&](std::string_view key) {
    if (key == "metadata") return read(in, lease.meta);
    if (key != "spec") return;
    in.object([&](std::string_view member) {
      if (member == "holderIdentity") return in.read(lease.holder);
      if (member == "leaseDurationSeconds") return in.read(lease.duration_seconds);
      if (member == "acquireTime") return in.read(lease.acquired);
      if (member == "renewTime") return in.read(lease.renewed);
      if (member == "leaseTransitions") return in.read(lease.transitions);
    });
  });
  return lease;
}

std::string encode(const Lease& lease) {
  base::JsonWriter out;
  out.begin_object().key("apiVersion").string("coordination.k8s.io/v1").key("kind").string("Lease");
  write(out.key("metadata"), lease.meta);
  out.key("spec").begin_object().key("holderIdentity").string(lease.holder);
  if (lease.duration_seconds > 0) out.key("leaseDurationSeconds").integer(lease.duration_seconds);  // the server refuses 0
  if (lease.acquired) out.key("acquireTime").string(base::format_micro_time(*lease.acquired));
  if (lease.renewed) out.key("renewTime").string(base::format_micro_time(*lease.renewed));
  out.key("leaseTransitions").integer(lease.transitions).end_object().end_object();
  return std::move(out).text();
}

}  // namespace kruise::api
