#include "cluster/tables/table.hpp"

#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tables/columns.hpp"

namespace kruise::cluster {
namespace {

void write_columns(base::JsonWriter& w, const std::vector<Column>& columns) {
  w.key("columnDefinitions").begin_array();
  for (const auto& column : columns) {
    w.begin_object().key("name").string(column.name).key("type").string(column.type).key("format").string(column.format);
    w.key("description").string(column.description).key("priority").integer(column.priority).end_object();
  }
  w.end_array();
}

void write_object(base::JsonWriter& w, const Object& object, std::string_view include_object) {
  if (include_object == "None") return;
  w.key("object");
  if (include_object == "Object") {
    w.raw(object.text());
    return;
  }
  w.begin_object().key("kind").string("PartialObjectMetadata").key("apiVersion").string("meta.k8s.io/v1");
  w.key("metadata").raw(json_text(object.value_at("metadata"))).end_object();
}

}  // namespace

std::string table_text(const Kind& kind, const std::vector<const Object*>& rows, std::string_view metadata,
                       std::string_view include_object, base::Time now, bool with_columns) {
  const std::vector<Column> columns = columns_of(kind);
  base::JsonWriter w;
  w.begin_object().key("kind").string("Table").key("apiVersion").string("meta.k8s.io/v1").key("metadata").raw(metadata);
  if (with_columns) {
    write_columns(w, columns);
  } else {
    w.key("columnDefinitions").null();
  }
  w.key("rows").begin_array();
  for (const Object* row : rows) {
    w.begin_object().key("cells").begin_array();
    const Object once(*row);
    for (const auto& column : columns) w.raw(json_text(column.cell(once.tree(), now)));
    w.end_array();
    write_object(w, *row, include_object);
    w.end_object();
  }
  w.end_array().end_object();
  return std::move(w).text();
}

}  // namespace kruise::cluster
