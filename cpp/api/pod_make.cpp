// The construction of a compact pod: what is shared is looked up in the pool, what is its own is written to its block.
#include <algorithm>
#include <charconv>

#include "api/pod_layout.hpp"
#include "api/pod_parts.hpp"
#include "base/hash.hpp"

namespace kruise::api {
namespace {

using base::table_hash;

/// Labels that differ from pod to pod by their nature.
constexpr std::array<std::string_view, 4> kInstanceLabels{"apps.kruise.io/cloneset-instance-id",
                                                          "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index",
                                                          "batch.kubernetes.io/job-completion-index"};

std::size_t instance_label(std::string_view key) {
  return static_cast<std::size_t>(std::ranges::find(kInstanceLabels, key) - kInstanceLabels.begin());
}

/// Whether a label belongs in the pod's own block, because sharing a set that holds it would share nothing.
bool is_own(const PodView::Pair& label, const PodView& pod) {
  if (instance_label(label.key) != kInstanceLabels.size()) return true;
  constexpr std::size_t kNameBytesMin = 6;  // shorter ones occur by chance
  return pod.name.size() >= kNameBytesMin && label.value.find(pod.name) != std::string_view::npos;
}

/// Whether a container takes a variable from this annotation.
bool is_referred_to(std::string_view annotation, const PodView& pod) {
  return std::ranges::any_of(pod.metadata_env,
                             [&](const auto& env) { return env.map == MetadataMap::kAnnotations && env.key == annotation; });
}

template <class A, class B, class Same>
bool equal(const A& a, const B& b, Same same) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), same);
}

base::Interned<pod_parts::Family> intern_family(const PodView& view, base::InternTable<pod_parts::Family>& table) {
  std::uint64_t hash = table_hash(view.ns);
  for (const auto& o : view.owners) hash = table_hash(o.uid, table_hash(o.name, hash)) + (o.controller ? 1 : 0);
  for (const auto finalizer : view.finalizers) hash = table_hash(finalizer, hash);
  return table.intern(
      hash,
      [&](const pod_parts::Family& family) {
        return family.ns == view.ns && equal(family.finalizers, view.finalizers, std::equal_to<>()) &&
               equal(family.owners, view.owners, [](const OwnerReference& a, const PodView::Owner& b) {
                 return a.uid == b.uid && a.name == b.name && a.kind == b.kind && a.api_version == b.api_version &&
                        a.controller == b.controller && a.block_owner_deletion == b.block_owner_deletion;
               });
      },
      [&] {
        pod_parts::Family family;
        family.ns = view.ns;
        for (const auto& o : view.owners) {
          family.owners.push_back({std::string(o.api_version), std::string(o.kind), std::string(o.name), std::string(o.uid),
                                   o.controller, o.block_owner_deletion});
        }
        family.finalizers.assign(view.finalizers.begin(), view.finalizers.end());
        family.owners.shrink_to_fit();
        return family;
      });
}

base::Interned<pod_parts::Labels> intern_labels(const PodView& view, base::InternTable<pod_parts::Labels>& table) {
  std::uint64_t hash = 0;
  std::size_t count = 0;
  for (const auto& label : view.labels) {
    if (is_own(label, view)) continue;
    hash = table_hash(label.value, table_hash(label.key, hash));
    ++count;
  }
  return table.intern(
      hash,
      [&](const pod_parts::Labels& labels) {
        if (labels.pairs.size() != count) return false;
        auto known = labels.pairs.begin();
        for (const auto& label : view.labels) {
          if (is_own(label, view)) continue;
          if (known->first != label.key || known->second != label.value) return false;
          ++known;
        }
        return true;
      },
      [&] {
        pod_parts::Labels labels;
        labels.pairs.reserve(count);
        for (const auto& label : view.labels) {
          if (!is_own(label, view)) labels.pairs.emplace_back(label.key, label.value);
        }
        return labels;
      });
}

base::Interned<pod_parts::Spec> intern_spec(const PodView& view, base::InternTable<pod_parts::Spec>& table) {
  std::uint64_t hash = 0;
  for (const auto& c : view.containers)
    hash =
        table_hash(c.image, table_hash(c.name, hash)) + static_cast<std::uint32_t>(c.launch_priority.value_or(-1)) + c.env_count;
  for (const auto& env : view.metadata_env) hash = table_hash(env.key, table_hash(env.name, hash));
  for (const auto gate : view.readiness_gates) hash = table_hash(gate, hash);
  return table.intern(
      hash,
      [&](const pod_parts::Spec& spec) {
        auto env = view.metadata_env.begin();
        const auto same_env = [](const PodFields::MetadataEnv& a, const PodView::MetadataEnv& b) {
          return a.map == b.map && a.key == b.key && a.name == b.name;
        };
        return equal(spec.readiness_gates, view.readiness_gates, std::equal_to<>()) &&
               equal(spec.containers, view.containers, [&](const PodFields::Container& a, const PodView::Container& b) {
                 const auto own = env;
                 env += static_cast<std::ptrdiff_t>(b.env_count);
                 return a.image == b.image && a.name == b.name && a.launch_priority == b.launch_priority &&
                        std::equal(a.metadata_env.begin(), a.metadata_env.end(), own, env, same_env);
               });
      },
      [&] {
        pod_parts::Spec spec;
        spec.containers.reserve(view.containers.size());
        auto env = view.metadata_env.begin();
        for (const auto& c : view.containers) {
          auto& container = spec.containers.emplace_back(std::string(c.name), std::string(c.image));
          container.launch_priority = c.launch_priority;
          container.metadata_env.reserve(c.env_count);
          for (const auto end = env + static_cast<std::ptrdiff_t>(c.env_count); env != end; ++env)
            container.metadata_env.push_back({std::string(env->name), env->map, std::string(env->key)});
        }
        spec.readiness_gates.assign(view.readiness_gates.begin(), view.readiness_gates.end());
        return spec;
      });
}

base::Interned<pod_parts::Conditions> intern_conditions(const PodView& view, base::InternTable<pod_parts::Conditions>& table) {
  std::uint64_t hash = 0;
  for (const auto& c : view.conditions)
    hash = table_hash(c.reason, table_hash(c.type, hash)) + static_cast<std::uint64_t>(c.status);
  return table.intern(
      hash,
      [&](const pod_parts::Conditions& conditions) {
        return equal(conditions.items, view.conditions, [](const pod_parts::Conditions::Item& a, const PodView::Condition& b) {
          return a.status == b.status && a.type == b.type && a.reason == b.reason;
        });
      },
      [&] {
        pod_parts::Conditions conditions;
        conditions.items.reserve(view.conditions.size());
        for (const auto& c : view.conditions) conditions.items.push_back({std::string(c.type), std::string(c.reason), c.status});
        return conditions;
      });
}

base::Interned<pod_parts::Statuses> intern_statuses(const PodView& view, base::InternTable<pod_parts::Statuses>& table) {
  std::uint64_t hash = 0;
  for (const auto& s : view.statuses) hash = table_hash(s.image_id, table_hash(s.image, table_hash(s.name, hash)));
  return table.intern(
      hash,
      [&](const pod_parts::Statuses& statuses) {
        return equal(statuses.items, view.statuses, [](const pod_parts::Statuses::Item& a, const PodView::Status& b) {
          return a.image_id == b.image_id && a.image == b.image && a.name == b.name;
        });
      },
      [&] {
        pod_parts::Statuses statuses;
        statuses.items.reserve(view.statuses.size());
        for (const auto& s : view.statuses)
          statuses.items.push_back({std::string(s.name), std::string(s.image), std::string(s.image_id)});
        return statuses;
      });
}

PodView view_of(const PodFields& fields) {
  PodView view;
  const ObjectMeta& meta = fields.meta;
  view.name = meta.name;
  view.ns = meta.ns;
  view.uid = meta.uid;
  std::from_chars(meta.resource_version.data(), meta.resource_version.data() + meta.resource_version.size(), view.version);
  view.generation = meta.generation;
  view.created = meta.creation_timestamp;
  view.deletion = meta.deletion_timestamp;
  for (const auto& [key, value] : meta.labels) view.labels.push_back({key, value});
  for (const auto& [key, value] : meta.annotations) view.annotations.push_back({key, value});
  view.finalizers.assign(meta.finalizers.begin(), meta.finalizers.end());
  for (const auto& o : meta.owners)
    view.owners.push_back({o.api_version, o.kind, o.name, o.uid, o.controller, o.block_owner_deletion});
  view.node = fields.node_name;
  for (const auto& c : fields.containers) {
    view.containers.push_back({c.name, c.image, c.metadata_env.size(), c.launch_priority});
    for (const auto& env : c.metadata_env) view.metadata_env.push_back({env.name, env.key, env.map});
  }
  view.container_hashes = fields.container_hashes;
  view.readiness_gates.assign(fields.readiness_gates.begin(), fields.readiness_gates.end());
  view.claim_names.assign(fields.claim_names.begin(), fields.claim_names.end());
  view.phase = fields.phase;
  for (const auto& c : fields.conditions) view.conditions.push_back({c.type, c.reason, c.message, c.status, c.last_transition});
  for (const auto& s : fields.statuses)
    view.statuses.push_back({s.name, s.image, s.image_id, s.container_id, s.ready, s.restart_count});
  for (const auto& s : fields.init_statuses) view.init_restart_counts.push_back(s.restart_count);
  return view;
}

}  // namespace

Pod::Pod(const PodFields& fields) : Pod(view_of(fields), *std::make_unique<PodPool>()) {}

Pod::Pod(const PodView& view, PodPool& pool)
    : family_(intern_family(view, pool.families_)),
      labels_(intern_labels(view, pool.labels_)),
      spec_(intern_spec(view, pool.specs_)),
      conditions_(intern_conditions(view, pool.conditions_)),
      statuses_(intern_statuses(view, pool.statuses_)),
      node_(pool.nodes_.intern(
          table_hash(view.node), [&](const std::string& node) { return node == view.node; },
          [&] { return std::string(view.node); })),
      version_(view.version),
      generation_(view.generation),
      created_ns_(pod_layout::pack_time(view.created)),
      deletion_ns_(pod_layout::pack_time(view.deletion)),
      name_bytes_(static_cast<std::uint32_t>(view.name.size())),
      init_count_(static_cast<std::uint16_t>(std::min<std::size_t>(view.init_restart_counts.size(), UINT16_MAX))),
      phase_(view.phase) {
  std::string& block = pool.block_;
  block.assign(view.name);
  for (const auto& c : view.conditions) pod_layout::put(block, pod_layout::pack_time(c.last_transition));
  for (const auto& s : view.statuses) {
    pod_layout::put(block, s.restart_count);
    pod_layout::put(block, static_cast<std::uint8_t>(s.ready));
  }
  for (std::size_t i = 0; i < init_count_; ++i) pod_layout::put(block, view.init_restart_counts[i]);
  records_at_ = static_cast<std::uint32_t>(block.size());

  const auto record = [&](Tag tag, std::size_t index, std::string_view head, std::string_view bytes) {
    pod_layout::put(block, tag);
    pod_layout::put(block, static_cast<std::uint16_t>(index));
    pod_layout::put(block, static_cast<std::uint32_t>(head.size() + bytes.size()));
    block.append(head).append(bytes);
  };
  if (const auto uid = pod_layout::pack_uid(view.uid)) {
    uid_ = *uid;
  } else if (!view.uid.empty()) {
    record(Tag::kUid, 0, {}, view.uid);
  }
  for (const auto& label : view.labels) {
    if (!is_own(label, view)) continue;
    const std::size_t known = instance_label(label.key);
    if (known != kInstanceLabels.size()) {
      record(Tag::kLabel, known, {}, label.value);
    } else {
      record(Tag::kNamedLabel, 0, std::string(label.key) + '\0', label.value);
    }
  }
  const auto kept = kept_pod_annotations();
  for (const auto& [key, value] : view.annotations) {
    const auto found = std::ranges::find(kept, key);
    if (found != kept.end()) {
      record(Tag::kAnnotation, static_cast<std::size_t>(found - kept.begin()), {}, value);
    } else if (is_referred_to(key, view)) {
      record(Tag::kNamedAnnotation, 0, std::string(key) + '\0', value);
    }
  }
  for (std::size_t i = 0; i < view.container_hashes.size(); ++i) {
    std::string bytes;
    pod_layout::put(bytes, view.container_hashes[i]);
    record(Tag::kContainerHash, i, {}, bytes);
  }
  for (const auto claim : view.claim_names) record(Tag::kClaim, 0, {}, claim);
  for (std::size_t i = 0; i < view.conditions.size(); ++i) {
    if (!view.conditions[i].message.empty()) record(Tag::kMessage, i, {}, view.conditions[i].message);
  }
  for (std::size_t i = 0; i < view.statuses.size(); ++i) {
    std::array<char, 33> packed;
    const std::string_view id = view.statuses[i].container_id;
    if (pod_layout::pack_container_id(id, packed)) {
      record(Tag::kContainerId, i, {}, std::string_view(packed.data(), packed.size()));
    } else if (!id.empty()) {
      record(Tag::kContainerIdText, i, {}, id);
    }
  }
  block_bytes_ = static_cast<std::uint32_t>(block.size());
  block_ = std::make_unique_for_overwrite<char[]>(block.size());
  std::memcpy(block_.get(), block.data(), block.size());
}

std::optional<std::string_view> Pod::label(std::string_view key) const {
  const auto& pairs = labels_->pairs;
  const auto found = std::ranges::lower_bound(pairs, key, {}, [](const auto& pair) -> std::string_view { return pair.first; });
  if (found != pairs.end() && found->first == key) return found->second;
  const std::size_t known = instance_label(key);
  if (known != kInstanceLabels.size()) return record(Tag::kLabel, known);
  return named_record(Tag::kNamedLabel, key);
}

StringMap Pod::labels() const {
  StringMap labels(labels_->pairs.begin(), labels_->pairs.end());
  each_record([&](Tag tag, std::size_t index, std::string_view bytes) {
    if (tag == Tag::kLabel) labels.emplace(kInstanceLabels[index], bytes);
    if (tag == Tag::kNamedLabel) labels.emplace(bytes.substr(0, bytes.find('\0')), bytes.substr(bytes.find('\0') + 1));
  });
  return labels;
}

}  // namespace kruise::api
