// JSON text, written front to back without a tree.
//
//     base::JsonWriter w;
//     w.begin_object().key("name").string("web").key("ready").boolean(true).end_object();
//     w.text();   // {"name":"web","ready":true}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kruise::base {

/// Appends `text` as a quoted JSON string.
void append_json_string(std::string& out, std::string_view text);

class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view);
  JsonWriter& string(std::string_view);
  JsonWriter& integer(std::int64_t);
  JsonWriter& boolean(bool);
  JsonWriter& null();
  /// Text that is already JSON.
  JsonWriter& raw(std::string_view json);
  [[nodiscard]] const std::string& text() const& { return text_; }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  JsonWriter& open(char);
  JsonWriter& close(char);
  void separate();

  std::string text_;
  bool comma_ = false;
};

}  // namespace kruise::base
