// Logging as an event name with typed fields, in the lines of Kubernetes' components. spdlog stays behind this header.
//
//     log::info("pod updated", {{"pod", key}, {"revision", revision}});   // key: an api::Key
//     // I0301 08:00:00.000000    4711 act.cpp:12] "pod updated" pod="shop/web-1" revision="web-6d8"
//     // {"ts":1614585600000.000,"caller":"act.cpp:12","msg":"pod updated","v":0,"pod":{"name":"web-1","namespace":"shop"},
//     //  "revision":"web-6d8"}
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <source_location>
#include <string>
#include <string_view>
#include <variant>

namespace kruise::base::log {

enum class Level : std::uint8_t { kError, kWarning, kInfo, kDebug };

/// An object by its name: "ns/name" in text, `{"name":...,"namespace":...}` in JSON. The namespace is empty where there is none.
struct Object {
  std::string ns;
  std::string name;
};

/// What names an object: api::Key, and Object.
template <class T>
concept NamesObject = requires(const T& key) { Object{key.ns, key.name}; };

struct Field {
  std::string_view key;
  std::variant<std::string, std::int64_t, double, bool, Object> value;
  Field(std::string_view k, std::string_view v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  template <class T>
    requires std::is_integral_v<T>
  Field(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
  template <NamesObject T>
  Field(std::string_view k, const T& named) : key(k), value(Object{named.ns, named.name}) {}
};
using Fields = std::initializer_list<Field>;

enum class Format : std::uint8_t { kText, kJson };
struct Options {
  Format format = Format::kText;
  /// Debug lines appear from the verbosity they were written with (the `-v` of
  /// the command line). Below 0 there are only warnings and errors.
  int verbosity = 0;
};
/// Call once at start; before it, warnings and errors go to stderr as text.
void configure(const Options&);

using Where = std::source_location;
void error(std::string_view event, Fields = {}, Where = Where::current());
void warning(std::string_view event, Fields = {}, Where = Where::current());
void info(std::string_view event, Fields = {}, Where = Where::current());
/// Written only from verbosity `v` on.
void debug(int v, std::string_view event, Fields = {}, Where = Where::current());

/// Takes every line instead of stderr while it lives (tests, simulator,
/// Python). Nested captures: the newest wins. Any thread may log.
class Capture {
 public:
  using Sink = std::function<void(Level, std::string_view event, const std::string& line)>;
  explicit Capture(Sink);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

 private:
  Sink sink_;
};

}  // namespace kruise::base::log
