#include "cluster/sim/records.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "client/client.hpp"

namespace kruise::cluster::sim {
namespace {

namespace od = simdjson::ondemand;

static_assert(client::Client::kPadding >= simdjson::SIMDJSON_PADDING);

std::string_view text_of(od::value value) {
  if (value.is_null()) return {};
  return value.get_string();
}
void read_text(od::value value, std::string& out) { out = text_of(value); }

template <class Member>
void each_member(od::value value, Member&& member) {
  if (value.is_null()) return;
  for (auto field : value.get_object()) {
    const std::string_view key = field.unescaped_key();
    member(key, field.value());
  }
}
template <class Element>
void each_element(od::value value, Element&& element) {
  if (value.is_null()) return;
  for (od::value item : value.get_array()) element(item);
}

void read_metadata_member(std::string_view key, od::value value, Identity& out) {
  if (key == "name") {
    read_text(value, out.name);
  } else if (key == "namespace") {
    read_text(value, out.ns);
  } else if (key == "uid") {
    read_text(value, out.uid);
  } else if (key == "resourceVersion") {
    const std::string_view text = text_of(value);
    std::from_chars(text.data(), text.data() + text.size(), out.version);
  } else if (key == "deletionTimestamp") {
    out.deleting = !value.is_null();
  }
}

void read_pairs(od::value map, std::vector<std::pair<std::string, std::string>>& out) {
  each_member(map, [&](std::string_view key, od::value value) {
    std::string name(key);
    out.emplace_back(std::move(name), text_of(value));
  });
}

void read_variable(od::value item, PodRecord::Container& out) {
  std::string name;
  std::string field_path;
  each_member(item, [&](std::string_view key, od::value value) {
    if (key == "name") read_text(value, name);
    if (key != "valueFrom") return;
    each_member(value, [&](std::string_view kind, od::value source) {
      if (kind != "fieldRef") return;
      each_member(source, [&](std::string_view member, od::value inner) {
        if (member == "fieldPath") read_text(inner, field_path);
      });
    });
  });
  if (const auto key = api::metadata_key_of(field_path))
    out.metadata_env.push_back({std::move(name), key->map, std::string(key->key)});
}

void read_containers(od::value list, std::vector<PodRecord::Container>& out) {
  each_element(list, [&](od::value item) {
    auto& container = out.emplace_back();
    each_member(item, [&](std::string_view key, od::value value) {
      if (key == "name") read_text(value, container.name);
      if (key == "image") read_text(value, container.image);
      if (key == "env") each_element(value, [&](od::value variable) { read_variable(variable, container); });
    });
  });
}

void read_volume(od::value volume, PodRecord& out) {
  each_member(volume, [&](std::string_view key, od::value value) {
    if (key != "persistentVolumeClaim") return;
    each_member(value, [&](std::string_view name, od::value inner) {
      if (name == "claimName") read_text(inner, out.claims.emplace_back());
    });
  });
}

void read_pod_spec(od::value spec, PodRecord& out) {
  each_member(spec, [&](std::string_view key, od::value value) {
    if (key == "nodeName") {
      read_text(value, out.node);
    } else if (key == "schedulerName") {
      read_text(value, out.scheduler);
    } else if (key == "schedulingGates") {
      each_element(value, [&](od::value) { out.scheduling_gates = true; });
    } else if (key == "hostNetwork") {
      out.host_network = !value.is_null() && value.get_bool();
    } else if (key == "nodeSelector") {
      read_pairs(value, out.node_selector);
    } else if (key == "containers") {
      read_containers(value, out.containers);
    } else if (key == "initContainers") {
      read_containers(value, out.init_containers);
    } else if (key == "volumes") {
      each_element(value, [&](od::value volume) { read_volume(volume, out); });
    } else if (key == "readinessGates") {
      each_element(value, [&](od::value gate) {
        each_member(gate, [&](std::string_view name, od::value inner) {
          if (name == "conditionType") read_text(inner, out.readiness_gates.emplace_back());
        });
      });
    }
  });
}

void read_condition(od::value item, PodRecord::Condition& out) {
  each_member(item, [&](std::string_view key, od::value value) {
    if (key == "type") read_text(value, out.type);
    if (key == "status") read_text(value, out.status);
    if (key == "lastTransitionTime") read_text(value, out.since);
  });
}

void read_container_status(od::value item, PodRecord::ContainerStatus& out) {
  each_member(item, [&](std::string_view key, od::value value) {
    if (key == "name") {
      read_text(value, out.name);
    } else if (key == "image") {
      read_text(value, out.image);
    } else if (key == "imageID") {
      read_text(value, out.image_id);
    } else if (key == "containerID") {
      read_text(value, out.container_id);
    } else if (key == "restartCount") {
      out.restart_count = value.get_int64();
    } else if (key == "ready") {
      out.ready = value.get_bool();
    } else if (key == "state") {
      each_member(value, [&](std::string_view state, od::value inner) {
        if (state != "running") return;
        out.running = true;
        each_member(inner, [&](std::string_view name, od::value time) {
          if (name == "startedAt") read_text(time, out.started_at);
        });
      });
    }
  });
}

void read_pod_status(od::value status, PodRecord& out) {
  each_member(status, [&](std::string_view key, od::value value) {
    if (key == "phase") {
      read_text(value, out.phase);
    } else if (key == "podIP") {
      read_text(value, out.pod_ip);
    } else if (key == "startTime") {
      read_text(value, out.start_time);
    } else if (key == "conditions") {
      each_element(value, [&](od::value item) { read_condition(item, out.conditions.emplace_back()); });
    } else if (key == "containerStatuses") {
      each_element(value, [&](od::value item) { read_container_status(item, out.statuses.emplace_back()); });
    }
  });
}

/// Calls `member` for each member of the object; false when the text is none or lacks a name.
template <class Record, class Member>
bool read_object(std::string_view json, Record& out, Member&& member) {
  static thread_local od::parser parser;
  out = Record();
  try {
    od::document document = parser.iterate(json.data(), json.size(), json.size() + simdjson::SIMDJSON_PADDING);
    for (auto field : document.get_object()) {
      const std::string_view key = field.unescaped_key();
      member(key, od::value(field.value()));
    }
  } catch (const simdjson::simdjson_error&) {
    return false;
  }
  return !out.name.empty();
}

}  // namespace

const PodRecord::Condition* PodRecord::condition(std::string_view type) const {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

bool read(std::string_view json, Identity& out) {
  static thread_local od::parser parser;
  out = Identity();
  try {
    od::document document = parser.iterate(json.data(), json.size(), json.size() + simdjson::SIMDJSON_PADDING);
    each_member(document.find_field_unordered("metadata"),
                [&](std::string_view key, od::value value) { read_metadata_member(key, value, out); });
  } catch (const simdjson::simdjson_error&) {
    return false;
  }
  return !out.name.empty();
}

bool PodRecord::has_metadata_env() const {
  return std::ranges::any_of(containers, [](const Container& c) { return !c.metadata_env.empty(); });
}

namespace {

/// What few pods need, and what comes before it is known that this one does.
bool read_metadata_maps(std::string_view json, PodRecord& out) {
  static thread_local od::parser parser;
  try {
    od::document document = parser.iterate(json.data(), json.size(), json.size() + simdjson::SIMDJSON_PADDING);
    each_member(document.find_field_unordered("metadata"), [&](std::string_view key, od::value value) {
      if (key == "labels") read_pairs(value, out.labels);
      if (key == "annotations") read_pairs(value, out.annotations);
    });
  } catch (const simdjson::simdjson_error&) {
    return false;
  }
  return true;
}

bool read_pod(std::string_view json, PodRecord& out) {
  return read_object(json, out, [&](std::string_view key, od::value value) {
    if (key == "metadata") {
      each_member(value, [&](std::string_view name, od::value inner) {
        if (name == "deletionGracePeriodSeconds") {
          out.grace_s = inner.is_null() ? 30 : std::int64_t(inner.get_int64());
        } else {
          read_metadata_member(name, inner, out);
        }
      });
    } else if (key == "spec") {
      read_pod_spec(value, out);
    } else if (key == "status") {
      read_pod_status(value, out);
    }
  });
}

}  // namespace

bool read(std::string_view json, PodRecord& out) {
  return read_pod(json, out) && (!out.has_metadata_env() || read_metadata_maps(json, out));
}

bool read(std::string_view json, NodeRecord& out) {
  return read_object(json, out, [&](std::string_view key, od::value value) {
    if (key == "metadata") {
      each_member(value, [&](std::string_view name, od::value inner) {
        name == "labels" ? read_pairs(inner, out.labels) : read_metadata_member(name, inner, out);
      });
    } else if (key == "spec") {
      each_member(value, [&](std::string_view name, od::value inner) {
        if (name == "unschedulable") out.unschedulable = !inner.is_null() && inner.get_bool();
      });
    } else if (key == "status") {
      each_member(value, [&](std::string_view name, od::value inner) {
        if (name != "conditions") return;
        each_element(inner, [&](od::value item) {
          PodRecord::Condition condition;
          read_condition(item, condition);
          if (condition.type == "Ready") out.ready = condition.status == "True";
        });
      });
    }
  });
}

bool read(std::string_view json, ClaimRecord& out) {
  return read_object(json, out, [&](std::string_view key, od::value value) {
    if (key == "metadata") {
      each_member(value, [&](std::string_view name, od::value inner) {
        if (name != "finalizers") return read_metadata_member(name, inner, out);
        each_element(inner, [&](od::value item) { out.protected_by_pods |= text_of(item) == "kubernetes.io/pvc-protection"; });
      });
    } else if (key == "spec") {
      each_member(value, [&](std::string_view name, od::value inner) {
        if (name == "volumeName") {
          read_text(inner, out.volume);
        } else if (name == "accessModes") {
          each_element(inner, [&](od::value item) { read_text(item, out.access_modes.emplace_back()); });
        } else if (name == "resources") {
          each_member(inner, [&](std::string_view part, od::value amounts) {
            if (part != "requests") return;
            each_member(amounts, [&](std::string_view resource, od::value amount) {
              if (resource == "storage") read_text(amount, out.storage);
            });
          });
        }
      });
    } else if (key == "status") {
      each_member(value, [&](std::string_view name, od::value inner) {
        if (name == "phase") read_text(inner, out.phase);
      });
    }
  });
}

}  // namespace kruise::cluster::sim
