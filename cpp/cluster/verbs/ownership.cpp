#include "cluster/verbs/ownership.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/fields/conformity.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr const char* kManagedFields = "managedFields";
constexpr std::size_t kManagerBytesMax = 128;

/// Who does not say what it is called is known by its program: "kubectl/v1.34" is "kubectl".
std::string manager_of(const Call& call) {
  if (const auto said = call.info.query.get("fieldManager"); !said.empty()) return std::string(said);
  std::string name(std::string_view(call.request.user_agent).substr(0, call.request.user_agent.find('/')));
  std::erase_if(name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
  return name.substr(0, kManagerBytesMax);
}

fields::FieldSetPtr set_of(std::initializer_list<std::initializer_list<std::string_view>> paths) {
  fields::FieldSetPtr all;
  for (const auto& path : paths) all = fields::unite(all, fields::set_of_path(std::span(path.begin(), path.size())));
  return all;
}

/// What the server does not take from such a write.
const fields::FieldSetPtr& ignored_in(const Call& call) {
  static const fields::FieldSetPtr kNothing;
  static const fields::FieldSetPtr kStatus = set_of({{"f:status"}});
  static const fields::FieldSetPtr kSpec = set_of({{"f:spec"}});
  static const fields::FieldSetPtr kOfPods =
      set_of({{"f:spec"}, {"f:metadata", "f:deletionTimestamp"}, {"f:metadata", "f:ownerReferences"}});
  static const fields::FieldSetPtr kOfDeployments = set_of({{"f:spec"}, {"f:metadata", "f:labels"}});
  static const fields::FieldSetPtr kOfDefinitions = set_of({{"f:spec"}, {"f:metadata"}});
  if (!call.kind->traits().status) return kNothing;
  if (call.info.subresource != "status") return kStatus;
  const std::string& kind = call.kind->names().kind;
  if (call.kind->custom()) return kSpec;
  if (kind == "Pod") return kOfPods;
  if (kind == "Deployment") return kOfDeployments;
  return kind == "CustomResourceDefinition" ? kOfDefinitions : kSpec;
}

/// The owners that a write starts from: the client's, unless it knows none or writes to a part of the object.
std::vector<fields::Owner> owners_at_start(Call& call, const std::optional<Json>& asked, const OwnersPtr& live) {
  if (!asked || !call.info.subresource.empty()) return list_of(live);
  if (fields::resets_owners(*asked)) return {};
  auto said = fields::parse_owners(*asked, call.context.field_texts());
  return said && !said->empty() ? std::move(*said) : list_of(live);
}

std::string shown_owner(const fields::Owner& owner) {
  std::string text = json_text(owner.manager);
  if (!owner.subresource.empty()) text += " with subresource " + json_text(owner.subresource);
  if (!owner.applied) text += " using " + owner.api_version;
  return text;
}

}  // namespace

std::optional<Json> take_managed_fields(Json& tree) {
  const auto metadata = tree.find("metadata");
  if (metadata == tree.end() || !metadata->is_object()) return std::nullopt;
  const auto found = metadata->find(kManagedFields);
  if (found == metadata->end()) return std::nullopt;
  Json taken = std::move(*found);
  metadata->erase(found);
  return taken;
}

void show_managed_fields(Json& tree, const OwnersPtr& owners) {
  if (!owners || owners->list().empty()) return;
  std::string text;
  owners->append_text(text);
  auto list = parse_json(text);
  object_in(tree, "metadata")[kManagedFields] = std::move(*list);
}

void keep_owner_reset(Json& tree) {
  const Json* said = member_at(tree, {"metadata", kManagedFields});
  if (said != nullptr && said->is_array() && said->empty()) tree["metadata"][kManagedFields] = Json::array({Json::object()});
}

KindPtr kind_in(const Call& call, const std::string& api_version) {
  const KindNames& names = call.kind->names();
  if (api_version == names.api_version()) return call.kind;
  const std::string prefix = names.group.empty() ? std::string() : names.group + "/";
  if (!api_version.starts_with(prefix)) return nullptr;
  return call.context.catalog()->find(names.group, api_version.substr(prefix.size()), names.plural);
}

fields::Write write_of(Call& call) {
  const auto version = [&call](const std::string& api_version) -> std::optional<fields::Version> {
    const KindPtr other = kind_in(call, api_version);
    if (!other) return std::nullopt;
    const auto between = [](const KindPtr& from, const KindPtr& to) {
      return [from, to](Json tree) {
        from->to_stored(tree);
        to->to_served(tree);
        return tree;
      };
    };
    return fields::Version{
        .type = &other->field_type(), .from_written = between(call.kind, other), .to_written = between(other, call.kind)};
  };
  return {.type = call.kind->field_type(),
          .api_version = call.kind->names().api_version(),
          .manager = manager_of(call),
          .subresource = call.info.subresource,
          .time = std::chrono::floor<std::chrono::seconds>(call.now),
          .ignored = ignored_in(call),
          .texts = call.context.field_texts(),
          .version = version};
}

OwnersPtr owners_of(std::vector<fields::Owner> list) {
  return list.empty() ? nullptr : std::make_shared<const fields::Owners>(std::move(list));
}

std::vector<fields::Owner> list_of(const OwnersPtr& owners) { return owners ? owners->list() : std::vector<fields::Owner>{}; }

bool same_but_for_times(const OwnersPtr& a, const OwnersPtr& b) {
  if (a == b) return true;
  return a && b && a->equal_but_for_times(*b);
}

OwnersPtr owners_of_creation(Call& call, const Json& tree, const std::optional<Json>& asked) {
  return owners_of(fields::track_update(write_of(call), call.kind->zero(), tree, owners_at_start(call, asked, nullptr), true));
}

OwnersPtr owners_of_update(Call& call, const Json& before, const Json& after, const std::optional<Json>& asked,
                           const OwnersPtr& live) {
  return owners_of(fields::track_update(write_of(call), before, after, owners_at_start(call, asked, live), false));
}

std::optional<Response> check_form(const Json& config, const fields::FieldType& type) {
  const std::string faults = fields::faults_of(config, type);
  if (faults.empty()) return std::nullopt;
  return answer({.code = 500,
                 .message = "failed to create typed patch object (" + std::string(text_at(config, {"metadata", "namespace"})) +
                            "/" + std::string(text_at(config, {"metadata", "name"})) + "; " +
                            std::string(text_of(config, "apiVersion")) + ", Kind=" + std::string(text_of(config, "kind")) +
                            "): " + faults});
}

Response conflicts_answer(const std::vector<fields::Conflict>& conflicts) {
  std::vector<client::Cause> causes;
  std::map<std::string, std::vector<std::string>> by_owner;
  for (const auto& conflict : conflicts) {
    const std::string who = shown_owner(conflict.owner);
    for (auto& path : fields::paths_of(conflict.fields)) {
      causes.push_back({"FieldManagerConflict", "conflict with " + who, path});
      by_owner[who].push_back(std::move(path));
    }
  }
  std::string message =
      "Apply failed with " + std::to_string(causes.size()) + (causes.size() == 1 ? " conflict: " : " conflicts: ");
  if (causes.size() == 1) {
    message += causes.front().message + ": " + causes.front().field;
  } else {
    bool first = true;
    for (const auto& [who, paths] : by_owner) {
      message += (first ? "conflicts with " : "\nconflicts with ") + who + ":";
      first = false;
      for (const auto& path : paths) message += "\n- " + path;
    }
  }
  return answer({.code = 409, .reason = "Conflict", .message = std::move(message), .causes = std::move(causes)});
}

}  // namespace kruise::cluster
