#include "cluster/fields/conformity.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "cluster/fields/compare.hpp"
#include "cluster/fields/field_set.hpp"

namespace kruise::cluster::fields {
namespace {

using Form = FieldType::Form;
using Scalar = FieldType::Scalar;

/// What Go calls the type of a value.
std::string go_type(const Json& value) {
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "bool";
  if (value.is_number_integer()) return "int64";
  if (value.is_number()) return "float64";
  return value.is_array() ? "[]interface {}" : "map[string]interface {}";
}

class Judge {
 public:
  void judge(const Json& value, const FieldType& type, const std::string& path) {
    if (value.is_null() || type.form == Form::kDeduced) return;
    if (type.form == Form::kLeaf && type.inside == nullptr) return judge_scalar(value, type.scalar, path);
    const FieldType& parts = type.inside != nullptr ? *type.inside : type;
    if (parts.form == Form::kObject) {
      judge_members(value, parts, path);
    } else {
      judge_elements(value, parts, type.inside == nullptr, path);
    }
  }

  std::string text() {
    std::ranges::sort(faults_);
    if (faults_.size() <= 1) return faults_.empty() ? std::string() : faults_.front();
    std::string all = "errors:";
    for (const auto& fault : faults_) all += "\n  " + fault;
    return all;
  }

 private:
  void fault(const std::string& path, const std::string& what) { faults_.push_back((path.empty() ? "" : path + ": ") + what); }

  void judge_scalar(const Json& value, Scalar scalar, const std::string& path) {
    if (scalar == Scalar::kString && !value.is_string())
      fault(path, "expected string, got &value.valueUnstructured{Value:" + value.dump() + "}");
    if (scalar == Scalar::kNumber && !value.is_number()) fault(path, "expected numeric (int or float), got " + go_type(value));
    if (scalar == Scalar::kBoolean && !value.is_boolean()) fault(path, "expected boolean, got " + shown(value));
  }

  static std::string shown(const Json& value) {
    return "&{" + (value.is_string() ? value.get<std::string>() : value.dump()) + "}";
  }

  void judge_members(const Json& value, const FieldType& type, const std::string& path) {
    if (!value.is_object()) return fault(path, "expected map, got " + shown(value));
    for (const auto& [name, part] : value.items()) {
      const std::string here = path + "." + name;
      if (type.declared(name) == nullptr && type.element == nullptr) {
        fault(here, "field not declared in schema");
      } else {
        judge(part, type.member(name), here);
      }
    }
  }

  void judge_elements(const Json& value, const FieldType& type, bool keyed, const std::string& path) {
    if (!value.is_array()) return fault(path, "expected list, got " + shown(value));
    std::set<std::string> known;
    std::size_t index = 0;
    for (const Json& item : value) {
      std::string here = path + "[" + std::to_string(index) + "]";
      if (keyed) {
        const std::string key = element_key(item, type);
        if (key.empty()) {
          fault(path, "element " + std::to_string(index) + ": " + without_key(item, type));
        } else {
          const std::string_view keys[] = {key};
          const std::string name = paths_of(set_of_path(keys)).front();
          if (!known.insert(key).second) fault(path, "duplicate entries for key " + name);
          here = path + name;
        }
      }
      judge(item, type.item(), here);
      ++index;
    }
  }

  static std::string without_key(const Json& item, const FieldType& type) {
    if (type.form == Form::kSet) return "associative list without keys has an element that's a map type";
    if (!item.is_object()) return "associative list with keys may not have non-map elements";
    for (const auto& key : type.keys) {
      if (!item.contains(key.name) && key.fallback.empty())
        return "associative list with keys has an element that omits key field \"" + key.name +
               "\" (and doesn't have default value)";
    }
    return "associative list with keys has an element without a key";
  }

  std::vector<std::string> faults_;
};

}  // namespace

std::string faults_of(const Json& config, const FieldType& type) {
  Judge judge;
  judge.judge(config, type, "");
  return judge.text();
}

}  // namespace kruise::cluster::fields
