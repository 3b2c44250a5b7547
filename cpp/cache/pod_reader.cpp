#include <simdjson.h>

#include "cache/pod_reader.hpp"

#include <algorithm>
#include <cstring>

#include "api/names.hpp"
#include "base/printed_hash.hpp"
#include "cache/traits.hpp"

namespace kruise::cache {
namespace {

namespace ondemand = simdjson::ondemand;
using Code = simdjson::error_code;
constexpr Code kOk = simdjson::SUCCESS;

/// A member's name as it stands in the text, compared without looking for its end.
class Name {
 public:
  explicit Name(ondemand::raw_json_string raw) : text_(reinterpret_cast<const char*>(raw.raw())) {}
  template <std::size_t N>
  [[nodiscard]] bool is(const char (&name)[N]) const {
    return std::memcmp(text_, name, N - 1) == 0 && text_[N - 1] == '"';
  }

 private:
  const char* text_;  // ends with a quote; padding lets us read past it
};

/// Two digits as a number, or a negative one.
int two_digits(const char* at) {
  const int tens = at[0] - '0', ones = at[1] - '0';
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1000 : tens * 10 + ones;
}

/// `2021-03-01T08:00:00Z`, the only form that API servers write.
std::optional<base::Time> usual_time(std::string_view text) {
  const char* at = text.data();
  if (text.size() != 20 || at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':' || at[19] != 'Z') {
    return std::nullopt;
  }
  const int century = two_digits(at), year = two_digits(at + 2), month = two_digits(at + 5), day = two_digits(at + 8);
  const int hour = two_digits(at + 11), minute = two_digits(at + 14), second = two_digits(at + 17);
  if ((century | year | month | day | hour | minute | second) < 0 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{century * 100 + year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return base::nearest_time(std::chrono::sys_days{date} + std::chrono::seconds{(hour * 60 + minute) * 60 + second});
}

api::PodPhase phase_of(std::string_view text) {
  if (text == "Running") return api::PodPhase::kRunning;
  if (text == "Pending") return api::PodPhase::kPending;
  if (text == "Succeeded") return api::PodPhase::kSucceeded;
  if (text == "Failed") return api::PodPhase::kFailed;
  return text.empty() ? api::PodPhase::kNone : api::PodPhase::kUnknown;
}

api::Tristate tristate_of(std::string_view text) {
  if (text == "True") return api::Tristate::kTrue;
  return text == "False" ? api::Tristate::kFalse : api::Tristate::kUnknown;
}

bool is_null(ondemand::value value) {
  bool null = false;
  return value.is_null().get(null) == kOk && null;
}

/// The object that the text begins with; absent where it begins with none or where it does not end.
std::optional<std::string_view> object_text(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      quoted = c != '"';
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '{') ++depth;
    if (depth == 0) return std::nullopt;
    if (c == '}' && --depth == 0) return text.substr(0, at + 1);
  }
  return std::nullopt;
}

bool is_fault_of_field(Code code) {
  return code == simdjson::INCORRECT_TYPE || code == simdjson::NUMBER_ERROR || code == simdjson::NUMBER_OUT_OF_RANGE;
}

}  // namespace

bool PodReader::read(ondemand::object object, std::string_view document, api::PodView& pod) {
  path_.clear();
  message_.clear();
  pod.clear();
  unread_.clear();
  unescaped_.clear();
  begins_.clear();
  code_ = root(object, pod);
  if (code_ != kOk) return false;
  if (!pod.metadata_env.empty()) keep_referred(pod);
  if (std::ranges::find(pod.annotations, api::kAnnotationRuntimeContainersMeta, &api::PodView::Pair::key) !=
      pod.annotations.end())
    hash_containers(document, pod);
  return true;
}

api::DecodeError PodReader::error() const {
  if (is_fault_of_field(code_)) return {path_, message_.empty() ? std::string(simdjson::error_message(code_)) : message_, false};
  return {path_, std::string("not JSON: ") + simdjson::error_message(code_), true};
}

Code PodReader::under(std::string_view name, Code code) {
  if (code == kOk) return kOk;
  const bool dot = !path_.empty() && path_[0] != '[';
  path_.insert(0, std::string(name) + (dot ? "." : ""));
  return code;
}

Code PodReader::wrong(std::string message) {
  message_ = std::move(message);
  return simdjson::INCORRECT_TYPE;
}

template <class Take>
Code PodReader::members_of(ondemand::object object, Take&& take) {
  for (auto member : object) {
    ondemand::field field;
    if (const Code code = std::move(member).get(field)) return code;
    if (const Code code = take(field)) return code;
  }
  return kOk;
}

template <class Take>
Code PodReader::members(Value value, Take&& take) {
  ondemand::object object;
  if (const Code code = value.get_object().get(object)) {
    if (is_null(value)) return kOk;
    return code == simdjson::INCORRECT_TYPE ? wrong("expected an object") : code;
  }
  return members_of(object, take);
}

template <class Take>
Code PodReader::elements(Value value, Take&& take) {
  ondemand::array array;
  if (const Code code = value.get_array().get(array)) {
    if (is_null(value)) return kOk;
    return code == simdjson::INCORRECT_TYPE ? wrong("expected a list") : code;
  }
  std::size_t index = 0;
  for (auto element : array) {
    ondemand::value item;
    Code code = std::move(element).get(item);
    if (code == kOk) code = take(item);
    if (code) return under("[" + std::to_string(index) + "]", code);
    ++index;
  }
  return kOk;
}

Code PodReader::key(ondemand::field& field, std::string_view& key) {
  const char* begin = reinterpret_cast<const char*>(field.key().raw());
  const char* end = begin;
  while (*end != '"' && *end != '\\') ++end;
  if (*end == '\\') return field.unescaped_key().get(key);
  key = {begin, static_cast<std::size_t>(end - begin)};
  return kOk;
}

/// Strings without an escape, nearly all, are views into the document.
Code PodReader::text(Value value, std::string_view& text) {
  std::string_view token = value.raw_json_token();
  if (token.empty() || token[0] != '"') return is_null(value) ? kOk : wrong("expected a string");
  token.remove_suffix(token.size() - 1 - token.rfind('"'));
  if (std::memchr(token.data(), '\\', token.size()) != nullptr) return value.get_string().get(text);
  text = token.substr(1, token.size() - 2);
  return kOk;
}

Code PodReader::time(Value value, std::optional<base::Time>& time) {
  std::string_view digits;
  if (const Code code = text(value, digits)) return code;
  if (digits.empty()) return kOk;
  time = usual_time(digits);
  if (!time) time = base::parse_time(digits);
  return time ? kOk : wrong("expected a time");
}

Code PodReader::integer(Value value, std::int64_t& number) {
  const Code code = value.get_int64().get(number);
  if (code == kOk || is_null(value)) return kOk;
  return is_fault_of_field(code) ? wrong("expected an integer") : code;
}

Code PodReader::integer32(Value value, std::int32_t& number) {
  std::int64_t wide = 0;
  if (const Code code = integer(value, wide)) return code;
  if (wide < INT32_MIN || wide > INT32_MAX) return wrong("expected an integer of 32 bits");
  number = static_cast<std::int32_t>(wide);
  return kOk;
}

Code PodReader::boolean(Value value, bool& flag) {
  const Code code = value.get_bool().get(flag);
  if (code == kOk || is_null(value)) return kOk;
  return is_fault_of_field(code) ? wrong("expected true or false") : code;
}

Code PodReader::root(Object object, api::PodView& pod) {
  return members_of(object, [&](ondemand::field& field) -> Code {
    const Name name(field.key());
    if (name.is("metadata")) return under("metadata", metadata(field.value(), pod));
    if (name.is("spec")) return under("spec", spec(field.value(), pod));
    if (name.is("status")) return under("status", status(field.value(), pod));
    return kOk;
  });
}

Code PodReader::metadata(Value value, api::PodView& pod) {
  return members(value, [&](ondemand::field& field) -> Code {
    const Name name(field.key());
    Value v = field.value();
    if (name.is("managedFields")) return kOk;
    if (name.is("name")) return under("name", text(v, pod.name));
    if (name.is("namespace")) return under("namespace", text(v, pod.ns));
    if (name.is("uid")) return under("uid", text(v, pod.uid));
    if (name.is("resourceVersion")) {
      std::string_view version;
      const Code code = text(v, version);
      pod.version = version_number(version);
      return under("resourceVersion", code);
    }
    if (name.is("generation")) return under("generation", integer(v, pod.generation));
    if (name.is("creationTimestamp")) return under("creationTimestamp", time(v, pod.created));
    if (name.is("deletionTimestamp")) return under("deletionTimestamp", time(v, pod.deletion));
    if (name.is("labels")) return under("labels", labels(v, pod));
    if (name.is("annotations")) return under("annotations", annotations(v, pod));
    if (name.is("ownerReferences")) return under("ownerReferences", elements(v, [&](Value item) { return owner(item, pod); }));
    if (name.is("finalizers")) {
      return under("finalizers", elements(v, [&](Value item) { return text(item, pod.finalizers.emplace_back()); }));
    }
    return kOk;
  });
}

Code PodReader::labels(Value value, api::PodView& pod) {
  return members(value, [&](ondemand::field& field) -> Code {
    api::PodView::Pair& label = pod.labels.emplace_back();
    if (const Code code = key(field, label.key)) return code;
    return under(label.key, text(field.value(), label.value));
  });
}

Code PodReader::annotations(Value value, api::PodView& pod) {
  return members(value, [&](ondemand::field& field) -> Code {
    std::string_view name;
    if (const Code code = key(field, name)) return code;
    if (std::ranges::find(api::kept_pod_annotations(), name) == api::kept_pod_annotations().end()) {
      unread_.push_back({name, field.value().raw_json_token()});
      return kOk;
    }
    return under(name, text(field.value(), pod.annotations.emplace_back(name).value));
  });
}

void PodReader::keep_referred(api::PodView& pod) {
  for (const auto& env : pod.metadata_env) {
    if (env.map != api::MetadataMap::kAnnotations) continue;
    if (std::ranges::find(pod.annotations, env.key, &api::PodView::Pair::key) != pod.annotations.end()) continue;
    const auto found = std::find_if(unread_.rbegin(), unread_.rend(), [&](const Unread& u) { return u.key == env.key; });
    if (found == unread_.rend()) continue;
    std::string_view token = found->token;
    if (token[0] != '"') continue;
    token = token.substr(1, token.rfind('"') - 1);
    if (token.find('\\') != std::string_view::npos) {
      // Rare, and the document has been left behind: the text is read once more by itself.
      const simdjson::padded_string quoted(found->token.substr(0, token.size() + 2));
      simdjson::dom::parser parser;
      std::string_view plain;
      if (parser.parse(quoted).get(plain) != kOk) continue;
      token = unescaped_.emplace_back(plain);
    }
    pod.annotations.push_back({env.key, token});
  }
}

void PodReader::hash_containers(std::string_view document, api::PodView& pod) {
  for (const char* begin : begins_) {
    const auto text = object_text(document.substr(static_cast<std::size_t>(begin - document.data())));
    pod.container_hashes.push_back(text ? base::printed_bytes_hash(*text) : 0);
  }
}

Code PodReader::owner(Value value, api::PodView& pod) {
  api::PodView::Owner& owner = pod.owners.emplace_back();
  return members(value, [&](ondemand::field& field) -> Code {
    const Name name(field.key());
    Value v = field.value();
    if (name.is("uid")) return under("uid", text(v, owner.uid));
    if (name.is("name")) return under("name", text(v, owner.name));
    if (name.is("kind")) return under("kind", text(v, owner.kind));
    if (name.is("apiVersion")) return under("apiVersion", text(v, owner.api_version));
    if (name.is("controller")) return under("controller", boolean(v, owner.controller));
    if (name.is("blockOwnerDeletion")) return under("blockOwnerDeletion", boolean(v, owner.block_owner_deletion));
    return kOk;
  });
}

Code PodReader::spec(Value value, api::PodView& pod) {
  return members(value, [&](ondemand::field& field) -> Code {
    const Name name(field.key());
    Value v = field.value();
    if (name.is("nodeName")) return under("nodeName", text(v, pod.node));
    if (name.is("containers")) return under("containers", elements(v, [&](Value item) { return container(item, pod); }));
    if (name.is("readinessGates"))
      return under("readinessGates", elements(v, [&](Value item) { return readiness_gate(item, pod); }));
    if (name.is("volumes")) return under("volumes", elements(v, [&](Value item) { return volume(item, pod); }));
    return kOk;
  });
}

Code PodReader::container(Value value, api::PodView& pod) {
  api::PodView::Container& container = pod.containers.emplace_back();
  begins_.push_back(value.raw_json_token().data());
  return members(value, [&](ondemand::field& field) -> Code {
    const Name name(field.key());
    if (name.is("name")) return under("name", text(field.value(), container.name));
    if (name.is("image")) return under("image", text(field.value(), container.image));
    if (name.is("env")) return under("env", elements(field.value(), [&](Value item) { return variable(item, pod, container); }));
    return kOk;
  });
}

Code PodReader::variable(Value value, api::PodView& pod, api::PodView::Container& container) {
  std::string_view name, field_path, barrier;
  const auto read_source = [&](ondemand::field& source) -> Code {
    const Name kind(source.key());
    if (kind.is("fieldRef")) {
      return under("fieldRef", members(source.value(), [&](ondemand::field& field) -> Code {
                     return Name(field.key()).is("fieldPath") ? under("fieldPath", text(field.value(), field_path)) : kOk;
                   }));
    }
    if (kind.is("configMapKeyRef")) {
      return under("configMapKeyRef", members(source.value(), [&](ondemand::field& field) -> Code {
                     return Name(field.key()).is("key") ? under("key", text(field.value(), barrier)) : kOk;
                   }));
    }
    return kOk;
  };
  const Code code = members(value, [&](ondemand::field& field) -> Code {
    const Name member(field.key());
    if (member.is("name")) return under("name", text(field.value(), name));
    if (member.is("valueFrom")) return under("valueFrom", members(field.value(), read_source));
    return kOk;
  });
  if (const auto key = api::metadata_key_of(field_path)) {
    pod.metadata_env.push_back({name, key->key, key->map});
    ++container.env_count;
  }
  if (name == api::kEnvContainerBarrier) container.launch_priority = api::launch_priority_of(barrier);
  return code;
}

Code PodReader::readiness_gate(Value value, api::PodView& pod) {
  std::string_view& type = pod.readiness_gates.emplace_back();
  return members(value, [&](ondemand::field& field) -> Code {
    return Name(field.key()).is("conditionType") ? under("conditionType", text(field.value(), type)) : kOk;
  });
}

Code PodReader::volume(Value value, api::PodView& pod) {
  return members(value, [&](ondemand::field& field) -> Code {
    if (!Name(field.key()).is("persistentVolumeClaim")) return kOk;
    return under("persistentVolumeClaim", members(field.value(), [&](ondemand::field& inner) -> Code {
                   if (!Name(inner.key()).is("claimName")) return kOk;
                   return under("claimName", text(inner.value(), pod.claim_names.emplace_back()));
                 }));
  });
}

Code PodReader::status(Value value, api::PodView& pod) {
  return members(value, [&](ondemand::field& field) -> Code {
    const Name name(field.key());
    Value v = field.value();
    if (name.is("phase")) {
      std::string_view phase;
      const Code code = text(v, phase);
      pod.phase = phase_of(phase);
      return under("phase", code);
    }
    if (name.is("conditions")) return under("conditions", elements(v, [&](Value item) { return condition(item, pod); }));
    if (name.is("containerStatuses")) {
      return under("containerStatuses", elements(v, [&](Value item) { return container_status(item, pod); }));
    }
    if (name.is("initContainerStatuses")) {
      return under("initContainerStatuses", elements(v, [&](Value item) { return init_container_status(item, pod); }));
    }
    return kOk;
  });
}

Code PodReader::condition(Value value, api::PodView& pod) {
  api::PodView::Condition& condition = pod.conditions.emplace_back();
  const Code code = members(value, [&](ondemand::field& field) -> Code {
    const Name name(field.key());
    Value v = field.value();
    if (name.is("type")) return under("type", text(v, condition.type));
    if (name.is("status")) {
      std::string_view status;
      const Code failed = text(v, status);
      condition.status = tristate_of(status);
      return under("status", failed);
    }
    if (name.is("lastTransitionTime")) return under("lastTransitionTime", time(v, condition.last_transition));
    if (name.is("reason")) return under("reason", text(v, condition.reason));
    if (name.is("message")) return under("message", text(v, condition.message));
    return kOk;
  });
  if (condition.type != api::kConditionKruisePodReady) condition.message = {};
  return code;
}

Code PodReader::container_status(Value value, api::PodView& pod) {
  api::PodView::Status& status = pod.statuses.emplace_back();
  return members(value, [&](ondemand::field& field) -> Code {
    const Name name(field.key());
    Value v = field.value();
    if (name.is("name")) return under("name", text(v, status.name));
    if (name.is("image")) return under("image", text(v, status.image));
    if (name.is("imageID")) return under("imageID", text(v, status.image_id));
    if (name.is("containerID")) return under("containerID", text(v, status.container_id));
    if (name.is("ready")) return under("ready", boolean(v, status.ready));
    if (name.is("restartCount")) return under("restartCount", integer32(v, status.restart_count));
    return kOk;
  });
}

Code PodReader::init_container_status(Value value, api::PodView& pod) {
  std::int32_t& count = pod.init_restart_counts.emplace_back();
  return members(value, [&](ondemand::field& field) -> Code {
    return Name(field.key()).is("restartCount") ? under("restartCount", integer32(field.value(), count)) : kOk;
  });
}

}  // namespace kruise::cache
