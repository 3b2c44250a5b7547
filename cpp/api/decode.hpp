// From bytes to objects and back: what every kind shares. The functions of a kind stand beside its struct.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/decode_error.hpp"
#include "api/json_reader.hpp"
#include "api/meta.hpp"
#include "api/selector.hpp"
#include "base/result.hpp"

namespace kruise::base {
class JsonWriter;
}

namespace kruise::api {

/// Reads one object. Members that the type does not know are skipped; null, absent and empty are the same. Throws DecodeError
/// with the path of the field when the text is no JSON object or a field has another form than it should.
template <class T>
[[nodiscard]] T decode(std::string_view json);

/// The same as a value, for readers of streams, where a bad object is an expected outcome.
template <class T>
[[nodiscard]] base::Result<T, DecodeError> try_decode(std::string_view json) {
  try {
    return decode<T>(json);
  } catch (const DecodeError& error) {
    return error;
  }
}

/// And as a shared object, which is what caches keep.
template <class T>
[[nodiscard]] base::Result<std::shared_ptr<const T>, DecodeError> try_decode_shared(std::string_view json) {
  auto decoded = try_decode<T>(json);
  if (!decoded) return decoded.error();
  return std::shared_ptr<const T>(std::make_shared<T>(std::move(*decoded)));
}

/// Metadata of an object of any kind, when nothing else of it matters.
struct PartialMeta {
  std::string api_version;
  std::string kind;
  ObjectMeta meta;
  bool operator==(const PartialMeta&) const = default;
};
using PartialMetaPtr = std::shared_ptr<const PartialMeta>;

/// An object of a kind unknown at build time: its metadata, and all of it as text.
struct RawObject {
  std::string api_version;
  std::string kind;
  ObjectMeta meta;
  RawJson text;
  bool operator==(const RawObject&) const = default;
};
using RawObjectPtr = std::shared_ptr<const RawObject>;

template <>
PartialMeta decode<PartialMeta>(std::string_view json);
template <>
RawObject decode<RawObject>(std::string_view json);

void read(JsonReader&, ObjectMeta&);
void read(JsonReader&, LabelSelector&);
/// Fields that are empty are left out; managedFields are not kept.
void write(base::JsonWriter&, const ObjectMeta&);
void write(base::JsonWriter&, const OwnerReference&);
void write(base::JsonWriter&, const LabelSelector&);
void write(base::JsonWriter&, const StringMap&);
void write(base::JsonWriter&, const IntOrString&);

}  // namespace kruise::api
