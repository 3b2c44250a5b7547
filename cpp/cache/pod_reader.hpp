// Reads one pod of a simdjson document into a view. For .cpp files of this folder, which include simdjson themselves before it.
#pragma once

#ifndef SIMDJSON_H
#error "include <simdjson.h> first: it is kept out of headers"
#endif

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "api/decode.hpp"
#include "api/pod_parts.hpp"

namespace kruise::cache {

/// Views of a read pod live until the next `read` and as long as the document's bytes.
class PodReader {
 public:
  /// The error of the last `read` is in `error()`. `text` is what the object is part of.
  [[nodiscard]] bool read(simdjson::ondemand::object object, std::string_view text, api::PodView& pod);
  [[nodiscard]] api::DecodeError error() const;

 private:
  using Code = simdjson::error_code;
  using Value = simdjson::ondemand::value;
  using Object = simdjson::ondemand::object;

  Code root(Object, api::PodView&);
  Code metadata(Value, api::PodView&);
  Code labels(Value, api::PodView&);
  Code annotations(Value, api::PodView&);
  Code owner(Value, api::PodView&);
  Code spec(Value, api::PodView&);
  Code container(Value, api::PodView&);
  Code variable(Value, api::PodView&, api::PodView::Container&);
  Code readiness_gate(Value, api::PodView&);
  Code volume(Value, api::PodView&);
  Code status(Value, api::PodView&);
  Code condition(Value, api::PodView&);
  Code container_status(Value, api::PodView&);
  Code init_container_status(Value, api::PodView&);

  /// Annotations that are kept only because a variable is taken from them: which they are is known last.
  void keep_referred(api::PodView&);
  /// Of a pod on which a node agent reports.
  void hash_containers(std::string_view text, api::PodView&);

  template <class Take>
  Code members(Value, Take&&);
  template <class Take>
  Code members_of(Object, Take&&);
  template <class Take>
  Code elements(Value, Take&&);
  Code key(simdjson::ondemand::field&, std::string_view&);
  Code text(Value, std::string_view&);
  Code time(Value, std::optional<base::Time>&);
  Code integer(Value, std::int64_t&);
  Code integer32(Value, std::int32_t&);
  Code boolean(Value, bool&);
  Code under(std::string_view name, Code);
  Code wrong(std::string message);

  struct Unread {
    std::string_view key, token;
  };
  std::vector<Unread> unread_;         // annotations, so far of no interest
  std::vector<const char*> begins_;    // of containers
  std::deque<std::string> unescaped_;  // values of those that turned out to be
  std::string path_;                   // to the field at fault, grown from its end
  std::string message_;
  Code code_ = simdjson::SUCCESS;
};

}  // namespace kruise::cache
