#include "api/revision.hpp"

#include "base/json_writer.hpp"

namespace kruise::api {

template <>
Revision decode<Revision>(std::string_view json) {
  Revision revision;
  JsonReader in(json);
  in.object([&](std::string_view key) {
    if (key == "metadata") return read(in, revision.meta);
    if (key == "revision") return in.read(revision.number);
    if (key == "data") return in.read(revision.data);
  });
  return revision;
}

template <>
Claim decode<Claim>(std::string_view json) {
  Claim claim;
  JsonReader in(json);
  in.object([&](std::string_view key) {
    if (key == "metadata") read(in, claim.meta);
  });
  return claim;
}

std::string encode(const Revision& revision) {
  base::JsonWriter out;
  out.begin_object().key("apiVersion").string("apps/v1").key("kind").string("ControllerRevision");
  write(out.key("metadata"), revision.meta);
  if (!revision.data.empty()) out.key("data").raw(revision.data.text);
  out.key("revision").integer(revision.number).end_object();
  return std::move(out).text();
}

}  // namespace kruise::api
