// Reads one JSON document front to back into typed values, and knows where it is when something is wrong.
//
//     JsonReader in(text);
//     in.object([&](std::string_view key) {
//       if (key == "replicas") return in.read(spec.replicas);
//       if (key == "names") return in.array([&] { in.read(names.emplace_back()); });
//     });                                          // members that nobody reads are skipped
//
// Null counts as absent everywhere: it leaves the value as it was. simdjson stays behind this header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/decode_error.hpp"
#include "api/int_or_percent.hpp"
#include "api/meta.hpp"
#include "base/time.hpp"

namespace kruise::api {

/// Starts before the root, which must be an object and is read by one call of `object`. Every function throws DecodeError, and
/// the reader is of no use after that. One thread.
class JsonReader {
 public:
  /// Copies `json`, and checks it as a whole: text kept by `read(RawJson&)` is well-formed JSON. At most 32 MiB.
  explicit JsonReader(std::string_view json);
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  /// Calls `member(key)` for each member of the object that comes next. The key lives until the next call.
  template <class Member>
  void object(Member&& member) {
    if (!enter_object()) return;
    while (const auto key = next_key()) member(*key);
  }
  /// Calls `element()` for each element of the array that comes next.
  template <class Element>
  void array(Element&& element) {
    if (!enter_array()) return;
    while (next_element()) element();
  }
  /// Whether the value that comes next is null.
  [[nodiscard]] bool is_null();

  void read(std::string&);
  void read(bool&);
  void read(std::int32_t&);
  void read(std::int64_t&);
  void read(IntOrString&);
  void read(base::Time&);
  void read(StringMap&);
  void read(RawJson&);  // to the letter
  template <class T>
  void read(std::optional<T>& value) {
    if (!is_null()) read(value.emplace());
  }
  template <class T>
  void read(std::vector<T>& values) {
    values.clear();
    array([&] { read(values.emplace_back()); });
  }

 private:
  struct State;
  bool enter_object();
  bool enter_array();
  std::optional<std::string_view> next_key();
  bool next_element();
  [[noreturn]] void fail(const std::string& problem) const;

  std::unique_ptr<State> state_;
};

}  // namespace kruise::api
