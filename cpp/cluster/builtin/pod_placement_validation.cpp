// Where a pod may run: affinity to nodes and pods, and spreading.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "cluster/builtin/pod_validation.hpp"
#include "cluster/name_rules.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kUnknownOperator = "not a valid selector operator";
constexpr std::string_view kWeightRange = "must be in the range 1-100";
constexpr std::string_view kPositive = "must be greater than zero";
constexpr std::string_view kNeedsSelector = "must not be specified when labelSelector is not set";
constexpr std::string_view kInSelectorToo = "exists in both matchLabelKeys and labelSelector";
constexpr std::string_view kInMismatchToo = "exists in both matchLabelKeys and mismatchLabelKeys";
constexpr std::string_view kNotEmpty = "can not be empty";

/// The elements of a list; none when it is absent.
std::span<const Json> elements(const Json& object, std::string_view name) {
  const Json* list = member(object, name);
  if (list == nullptr || !list->is_array()) return {};
  return list->get_ref<const Json::array_t&>();
}

std::string text(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

void validate_label_key(std::string_view key, const std::string& at, FieldErrors& errors) {
  for (const auto& complaint : check_qualified_name(key)) errors.invalid(at, std::string(key), complaint);
}

void validate_label_values(std::span<const Json> values, const std::string& at, FieldErrors& errors) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (const auto& complaint : check_label_value(text(values[i]))) errors.invalid(index(at, i), values[i], complaint);
  }
}

/// One requirement of a selector of labels. Nodes may also be compared by number.
void validate_requirement(const Json& requirement, bool of_nodes, bool judges_values, const std::string& at,
                          FieldErrors& errors) {
  const std::string how(text_of(requirement, "operator"));
  const auto values = elements(requirement, "values");
  if (how == "In" || how == "NotIn") {
    if (values.empty()) errors.required(at + ".values", "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (how == "Exists" || how == "DoesNotExist") {
    if (!values.empty()) errors.forbidden(at + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (of_nodes && (how == "Gt" || how == "Lt")) {
    if (values.size() != 1) errors.required(at + ".values", "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else {
    errors.invalid(at + ".operator", how, kUnknownOperator);
  }
  validate_label_key(text_of(requirement, "key"), at + ".key", errors);
  if (judges_values) validate_label_values(values, at + ".values", errors);
}

/// A requirement of a node's fields, of which only the name can be asked for.
void validate_field_requirement(const Json& requirement, const std::string& at, FieldErrors& errors) {
  const std::string how(text_of(requirement, "operator"));
  const auto values = elements(requirement, "values");
  if (how != "In" && how != "NotIn") {
    errors.invalid(at + ".operator", how, kUnknownOperator);
  } else if (values.size() != 1) {
    errors.required(at + ".values", "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  }
  if (const std::string key(text_of(requirement, "key")); key != "metadata.name") {
    errors.invalid(at + ".key", key, "not a valid field selector key");
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (const auto& complaint : check_subdomain(text(values[i]))) errors.invalid(index(at + ".values", i), values[i], complaint);
  }
}

void validate_node_term(const Json& term, bool judges_values, const std::string& at, FieldErrors& errors) {
  const auto expressions = elements(term, "matchExpressions");
  for (std::size_t i = 0; i < expressions.size(); ++i)
    validate_requirement(expressions[i], true, judges_values, index(at + ".matchExpressions", i), errors);
  const auto fields = elements(term, "matchFields");
  for (std::size_t i = 0; i < fields.size(); ++i) validate_field_requirement(fields[i], index(at + ".matchFields", i), errors);
}

void validate_weight(const Json& term, const std::string& at, FieldErrors& errors) {
  const auto weight = integer_of(term, "weight", 0);
  if (weight < 1 || weight > 100) errors.invalid(at + ".weight", weight, kWeightRange);
}

void validate_node_affinity(const Json& affinity, const std::string& at, FieldErrors& errors) {
  if (const Json* required = member(affinity, kRequired)) {
    const std::string terms_at = child(at, kRequired) + ".nodeSelectorTerms";
    const auto terms = elements(*required, "nodeSelectorTerms");
    if (terms.empty()) errors.required(terms_at, "must have at least one node selector term");
    for (std::size_t i = 0; i < terms.size(); ++i) validate_node_term(terms[i], true, index(terms_at, i), errors);
  }
  const auto preferred = elements(affinity, kPreferred);
  for (std::size_t i = 0; i < preferred.size(); ++i) {
    const std::string term_at = index(child(at, kPreferred), i);
    validate_weight(preferred[i], term_at, errors);
    const Json* preference = member(preferred[i], "preference");
    if (preference != nullptr) validate_node_term(*preference, false, term_at + ".preference", errors);
  }
}

/// The keys of a pod's own labels that its selector takes in.
void validate_label_keys(const Json& term, std::string_view name, const std::string& at, FieldErrors& errors) {
  const auto keys = elements(term, name);
  if (keys.empty()) return;
  if (member(term, "labelSelector") == nullptr) return errors.forbidden(child(at, name), kNeedsSelector);
  for (std::size_t i = 0; i < keys.size(); ++i) validate_label_key(text(keys[i]), index(child(at, name), i), errors);
}

/// By now the selector holds what the keys gave (see pod_rules.cpp), so that only a key that is there twice is the user's own.
void validate_match_label_keys(const Json& term, const std::string& at, FieldErrors& errors) {
  validate_label_keys(term, "matchLabelKeys", at, errors);
  validate_label_keys(term, "mismatchLabelKeys", at, errors);
  const auto keys = elements(term, "matchLabelKeys");
  if (const Json* selector = member(term, "labelSelector")) {
    std::set<std::string> seen;
    if (const Json* labels = member(*selector, "matchLabels")) {
      for (const auto& [key, value] : labels->items()) seen.insert(key);
    }
    for (const Json& expression : elements(*selector, "matchExpressions")) {
      const std::string key(text_of(expression, "key"));
      const auto named = std::ranges::find(keys.rbegin(), keys.rend(), Json(key));
      if (named != keys.rend() && seen.contains(key))
        errors.invalid(index(at, static_cast<std::size_t>(keys.rend() - named) - 1), key, kInSelectorToo);
      seen.insert(key);
    }
  }
  const auto mismatched = elements(term, "mismatchLabelKeys");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (std::ranges::find(mismatched, keys[i]) != mismatched.end())
      errors.invalid(index(at + ".matchLabelKeys", i), keys[i], kInMismatchToo);
  }
}

void validate_pod_term(const Json& term, const std::string& at, FieldErrors& errors) {
  for (const char* name : {"labelSelector", "namespaceSelector"}) {
    if (const Json* selector = member(term, name)) validate_label_selector(*selector, child(at, name), errors);
  }
  for (const Json& name : elements(term, "namespaces")) {
    for (const auto& complaint : check_label_name(text(name))) errors.invalid(at + ".namespace", name, complaint);
  }
  validate_match_label_keys(term, at, errors);
  const std::string key(text_of(term, "topologyKey"));
  if (key.empty()) errors.required(at + ".topologyKey", kNotEmpty);
  validate_label_key(key, at + ".topologyKey", errors);
}

void validate_pod_affinity(const Json& affinity, const std::string& at, FieldErrors& errors) {
  const auto required = elements(affinity, kRequired);
  for (std::size_t i = 0; i < required.size(); ++i) validate_pod_term(required[i], index(child(at, kRequired), i), errors);
  const auto preferred = elements(affinity, kPreferred);
  for (std::size_t i = 0; i < preferred.size(); ++i) {
    const std::string term_at = index(child(at, kPreferred), i);
    validate_weight(preferred[i], term_at, errors);
    validate_pod_term(object_of(preferred[i], "podAffinityTerm"), term_at + ".podAffinityTerm", errors);
  }
}

void validate_min_domains(const Json& constraint, const std::string& at, FieldErrors& errors) {
  const Json* domains = member(constraint, "minDomains");
  if (domains == nullptr) return;
  const std::string action(text_of(constraint, "whenUnsatisfiable"));
  if (integer_of(constraint, "minDomains", 0) < 1) errors.invalid(at + ".minDomains", *domains, kPositive);
  if (action != "DoNotSchedule") {
    errors.invalid(at + ".minDomains", *domains, "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " + action);
  }
}

void validate_constraint(std::span<const Json> constraints, std::size_t number, const std::string& at, FieldErrors& errors) {
  const Json& constraint = constraints[number];
  const auto skew = integer_of(constraint, "maxSkew", 0);
  if (skew < 1) errors.invalid(at + ".maxSkew", skew, kPositive);
  const std::string key(text_of(constraint, "topologyKey"));
  if (key.empty()) errors.required(at + ".topologyKey", kNotEmpty);
  const std::string action(text_of(constraint, "whenUnsatisfiable"));
  if (action != "DoNotSchedule" && action != "ScheduleAnyway")
    errors.not_supported(at + ".whenUnsatisfiable", action, {"DoNotSchedule", "ScheduleAnyway"});
  const bool repeated = std::ranges::any_of(constraints.subspan(number + 1), [&](const Json& other) {
    return text_of(other, "topologyKey") == key && text_of(other, "whenUnsatisfiable") == action;
  });
  if (repeated) errors.duplicate(at + ".{topologyKey, whenUnsatisfiable}", "{" + key + ", " + action + "}");
  validate_min_domains(constraint, at, errors);
  validate_choice(constraint, "nodeAffinityPolicy", {"Honor", "Ignore"}, at, errors);
  validate_choice(constraint, "nodeTaintsPolicy", {"Honor", "Ignore"}, at, errors);
  validate_match_label_keys(constraint, at, errors);
  if (const Json* selector = member(constraint, "labelSelector"))
    validate_label_selector(*selector, at + ".labelSelector", errors);
}

}  // namespace

void validate_label_selector(const Json& selector, const std::string& at, FieldErrors& errors) {
  if (const Json* labels = member(selector, "matchLabels")) validate_labels(*labels, at + ".matchLabels", errors);
  const auto expressions = elements(selector, "matchExpressions");
  for (std::size_t i = 0; i < expressions.size(); ++i)
    validate_requirement(expressions[i], false, true, index(at + ".matchExpressions", i), errors);
}

void validate_affinity(const Json& spec, const std::string& path, FieldErrors& errors) {
  const Json* affinity = member(spec, "affinity");
  if (affinity == nullptr) return;
  if (const Json* nodes = member(*affinity, "nodeAffinity"))
    validate_node_affinity(*nodes, path + ".affinity.nodeAffinity", errors);
  for (const char* name : {"podAffinity", "podAntiAffinity"}) {
    if (const Json* pods = member(*affinity, name)) validate_pod_affinity(*pods, child(path + ".affinity", name), errors);
  }
}

void validate_spread(const Json& spec, const std::string& path, FieldErrors& errors) {
  const auto constraints = elements(spec, "topologySpreadConstraints");
  for (std::size_t i = 0; i < constraints.size(); ++i)
    validate_constraint(constraints, i, index(path + ".topologySpreadConstraints", i), errors);
}

}  // namespace kruise::cluster
