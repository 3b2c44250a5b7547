// Patches from standard input, one JSON object a line, so that tests can hold them against a real API server:
//     {"do":"apply"|"diff","with":"strategic"|"json"|"merge","group":"apps","version":"v1","kind":"Deployment","target":{…},"patch":{…}}
// For "diff", "patch" is the wanted object. Each line is answered by {"result":…} or {"error":{"code":…,"message":…}}.
#include <iostream>
#include <nlohmann/json.hpp>

#include "api/schema.hpp"
#include "patch/json_patch.hpp"
#include "patch/merge_patch.hpp"
#include "patch/strategic.hpp"

namespace {

using nlohmann::json;
namespace patch = kruise::patch;

json failed(const patch::Error& error) { return {{"error", {{"code", error.code}, {"message", error.message}}}}; }

json answer(const json& request) {
  const std::string with = request.at("with");
  const std::string kind = request.value("kind", "");
  const auto* type = kruise::api::core_type(request.value("group", ""), request.value("version", ""), kind);
  if (with == "strategic" && type == nullptr) return failed(patch::Error::malformed("no schema of kind " + kind));
  json target = request.at("target");
  const json& change = request.at("patch");
  if (request.at("do") == "diff") {
    return {{"result", with == "json"    ? patch::json_patch::diff(target, change)
                       : with == "merge" ? patch::merge_patch::diff(target, change)
                                         : patch::strategic::diff(target, change, type)}};
  }
  std::optional<patch::Error> error;
  if (with == "json") {
    error = patch::json_patch::apply(target, change);
  } else if (with == "merge") {
    patch::merge_patch::apply(target, change);
  } else {
    error = patch::strategic::apply(target, change, type);
  }
  return error ? failed(*error) : json{{"result", target}};
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    json out;
    try {
      out = answer(json::parse(line));
    } catch (const json::exception& e) {
      out = failed(patch::Error::malformed(e.what()));
    }
    std::cout << out.dump() << std::endl;
  }
}
