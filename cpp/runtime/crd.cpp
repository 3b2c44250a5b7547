#include "runtime/crd.hpp"

#include <algorithm>
#include <utility>

namespace kruise::runtime {
namespace {

Crd::Version read_version(api::JsonReader& in) {
  Crd::Version version;
  in.object([&](std::string_view key) {
    if (key == "name") return in.read(version.name);
    if (key == "served") return in.read(version.served);
    if (key == "storage") return in.read(version.storage);
  });
  return version;
}

void read_spec(api::JsonReader& in, Crd& crd) {
  in.object([&](std::string_view key) {
    if (key == "versions") return in.array([&] { crd.versions.push_back(read_version(in)); });
    if (key != "conversion") return;
    in.object([&](std::string_view field) {
      if (field != "strategy") return;
      std::string strategy;
      in.read(strategy);
      crd.webhook_conversion = strategy == "Webhook";
    });
  });
}

void read_status(api::JsonReader& in, Crd& crd) {
  in.object([&](std::string_view key) {
    if (key != "conditions") return;
    in.array([&] {
      std::string type, status;
      in.object([&](std::string_view field) {
        if (field == "type") return in.read(type);
        if (field == "status") return in.read(status);
      });
      if (type == "Established") crd.established = status == "True";
    });
  });
}

}  // namespace

base::Result<std::shared_ptr<const Crd>, api::DecodeError> read_crd(std::string_view json) {
  auto crd = std::make_shared<Crd>();
  try {
    api::JsonReader in(json);
    in.object([&](std::string_view key) {
      if (key == "metadata") return api::read(in, crd->meta);
      if (key == "spec") return read_spec(in, *crd);
      if (key == "status") return read_status(in, *crd);
    });
  } catch (const api::DecodeError& error) {
    return error;
  }
  crd->meta.annotations.clear();  // kubectl apply keeps the whole schema in one
  return std::shared_ptr<const Crd>(std::move(crd));
}

std::optional<std::string> why_not_served(const Crd* crd, const api::Resource& resource) {
  if (crd == nullptr) return "its CustomResourceDefinition is not there";
  if (!crd->established || crd->meta.deletion_timestamp) return "its CustomResourceDefinition is not established";
  const auto version = std::ranges::find(crd->versions, resource.version, &Crd::Version::name);
  if (version == crd->versions.end() || !version->served) return "version " + resource.version + " is not served";
  if (!version->storage && crd->webhook_conversion) return "version " + resource.version + " is converted by a webhook";
  return std::nullopt;
}

}  // namespace kruise::runtime
