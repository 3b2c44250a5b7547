#include "cluster/view.hpp"

#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"
#include "cluster/answer.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tables/table.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr std::string_view kMetaGroup = "meta.k8s.io/v1";

/// Media types in the order of preference, without surrounding blanks.
std::vector<std::string_view> media_types(std::string_view accept) {
  std::vector<std::string_view> types;
  while (!accept.empty()) {
    const std::size_t end = std::min(accept.find(','), accept.size());
    std::string_view type = accept.substr(0, end);
    while (!type.empty() && type.front() == ' ') type.remove_prefix(1);
    while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
    if (!type.empty()) types.push_back(type);
    accept.remove_prefix(std::min(end + 1, accept.size()));
  }
  return types;
}

bool is_json(std::string_view type) {
  return type.starts_with("application/json") || type.starts_with("*/*") || type.starts_with("application/*");
}

/// Items of a list of built-in kinds carry no type of their own: the list has it.
void append_item(std::string& out, const Object& object, const KindNames& names) {
  const std::string head = "{\"apiVersion\":\"" + names.api_version() + "\",\"kind\":\"" + names.kind + "\",";
  const std::string_view text = object.text();
  if (text.starts_with(head)) {
    out.append("{").append(text.substr(head.size()));
    return;
  }
  Json tree = Object(object).tree();
  tree.erase("apiVersion");
  tree.erase("kind");
  append_object(out, tree, object.owners());
}

}  // namespace

base::Result<View, client::Response> View::of(std::string_view accept, const KindPtr& kind, const Query& query, base::Time now) {
  View view;
  view.kind_ = kind;
  view.now_ = now;
  view.converted_ = kind->converted();
  view.include_object_ = query.get("includeObject");
  if (accept.empty()) return view;
  for (const auto type : media_types(accept)) {
    if (!is_json(type)) continue;
    if (type.find("as=Table") != std::string_view::npos) {
      if (type.find("v=v1beta1") != std::string_view::npos) continue;
      view.form_ = Form::kTable;
    } else if (type.find("as=PartialObjectMetadata") != std::string_view::npos) {
      view.form_ = Form::kMetadata;
    }
    return view;
  }
  if (!kind->custom()) return not_acceptable("406: Not Acceptable\n\nAvailable representations: application/json");
  return not_acceptable("only the following media types are accepted: application/json");
}

std::string View::object(const Object& object) const {
  if (form_ == Form::kMetadata) {
    std::string out = "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"";
    out.append(kMetaGroup).append("\",\"metadata\":");
    append_json(out, object.value_at("metadata"));
    return out + "}";
  }
  return std::string(converted_ ? served(object).text() : object.text());
}

Object View::served(const Object& object) const {
  Json tree = Object(object).tree();  // the stored one stays without
  kind_->to_served(tree);
  return {object.path(), object.version(), tree, object.type(), object.owners()};
}

std::string View::table(const std::vector<const Object*>& rows, std::string_view metadata, bool with_columns) const {
  if (!converted_) return table_text(*kind_, rows, metadata, include_object_, now_, with_columns);
  std::vector<Object> objects;
  objects.reserve(rows.size());
  std::vector<const Object*> converted;
  converted.reserve(rows.size());
  for (const Object* row : rows) converted.push_back(&objects.emplace_back(served(*row)));
  return table_text(*kind_, converted, metadata, include_object_, now_, with_columns);
}

std::string View::answer(const Object& one) const {
  if (form_ != Form::kTable) return object(one);
  return table({&one}, "{\"resourceVersion\":\"" + std::to_string(one.version()) + "\"}", true);
}

std::string View::list(const std::vector<ObjectPtr>& objects, std::string_view metadata) const {
  if (form_ == Form::kTable) {
    std::vector<const Object*> rows;
    rows.reserve(objects.size());
    for (const auto& object : objects) rows.push_back(object.get());
    return table(rows, metadata, true);
  }
  const bool partial = form_ == Form::kMetadata;
  std::size_t bytes = 256;
  for (const auto& object : objects) bytes += object->text().size() + 1;
  std::string out;
  out.reserve(bytes);
  out += "{\"kind\":\"" + (partial ? "PartialObjectMetadataList" : kind_->names().list_kind) + "\",\"apiVersion\":\"";
  out += partial ? std::string(kMetaGroup) : kind_->names().api_version();
  out.append("\",\"metadata\":").append(metadata).append(",\"items\":[");
  bool first = true;
  for (const auto& one : objects) {
    if (!first) out += ',';
    first = false;
    if (partial || converted_) {
      out += object(*one);
    } else if (!kind_->custom()) {
      append_item(out, *one, kind_->names());
    } else {
      out += one->text();
    }
  }
  return out + "]}";
}

std::shared_ptr<const std::string> View::line(EventType type, const ObjectPtr& object, bool first) const {
  if (form_ == Form::kTable) {
    const std::string metadata = "{\"resourceVersion\":\"" + std::to_string(object->version()) + "\"}";
    return std::make_shared<const std::string>(watch_line(event_name(type), table({object.get()}, metadata, first)));
  }
  if (form_ == Form::kWhole && !converted_ && object->type() == type) return {object, &object->line()};
  return std::make_shared<const std::string>(watch_line(event_name(type), this->object(*object)));
}

std::shared_ptr<const std::string> View::bookmark(std::uint64_t version, bool initial_events_end) const {
  base::JsonWriter w;
  const bool partial = form_ == Form::kMetadata;
  w.begin_object().key("kind").string(partial ? "PartialObjectMetadata" : kind_->names().kind);
  w.key("apiVersion").string(partial ? std::string(kMetaGroup) : kind_->names().api_version());
  w.key("metadata").begin_object().key("resourceVersion").string(std::to_string(version));
  if (initial_events_end) {
    w.key("annotations").begin_object().key("k8s.io/initial-events-end").string("true").end_object();
  }
  w.end_object().end_object();
  return std::make_shared<const std::string>(watch_line("BOOKMARK", w.text()));
}

}  // namespace kruise::cluster
