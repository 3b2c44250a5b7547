#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "base/json_writer.hpp"
#include "base/time.hpp"

namespace kruise::base::log {
namespace {

struct State {
  std::mutex mutex;  // guards the two below
  Options options{.verbosity = -1};
  std::vector<Capture::Sink*> captures;
  std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("kruise", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);
    // Lmmdd hh:mm:ss.uuuuuu tid file:line] message
    made->set_pattern("%L%m%d %H:%M:%S.%f %7t %v");
    return made;
  }();
};

State& state() {
  static State s;
  return s;
}

spdlog::level::level_enum spd_level(Level level) {
  switch (level) {
    case Level::kError:
      return spdlog::level::err;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kDebug:
      return spdlog::level::info;
  }
  return spdlog::level::info;
}

void append_object(JsonWriter& w, const Object& object, Format format) {
  if (format == Format::kText) {
    w.string(object.ns.empty() ? object.name : object.ns + "/" + object.name);
    return;
  }
  w.begin_object().key("name").string(object.name);
  if (!object.ns.empty()) w.key("namespace").string(object.ns);
  w.end_object();
}

void append_value(JsonWriter& w, const Field& field, Format format) {
  if (const auto* s = std::get_if<std::string>(&field.value)) {
    w.string(*s);
  } else if (const auto* i = std::get_if<std::int64_t>(&field.value)) {
    w.integer(*i);
  } else if (const auto* d = std::get_if<double>(&field.value)) {
    w.raw(fmt::format("{}", *d));
  } else if (const auto* object = std::get_if<Object>(&field.value)) {
    append_object(w, *object, format);
  } else {
    w.boolean(std::get<bool>(field.value));
  }
}

std::string caller(const Where& where) {
  const std::string_view path = where.file_name();
  return std::string(path.substr(path.rfind('/') + 1)) + ":" + std::to_string(where.line());
}

std::string text_line(std::string_view event, Fields fields) {
  std::string line;
  append_json_string(line, event);
  for (const Field& field : fields) {
    JsonWriter value;
    append_value(value, field, Format::kText);
    line += ' ';
    line += field.key;
    line += '=';
    line += value.text();
  }
  return line;
}

/// An error says `err` where everything else says its verbosity; a field of that name is what went wrong.
std::string json_line(Level level, int v, std::string_view event, Fields fields, const Where& where, Time now) {
  JsonWriter w;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  w.begin_object().key("ts").raw(fmt::format("{:.3f}", static_cast<double>(us) / 1000.0));
  w.key("caller").string(caller(where)).key("msg").string(event);
  const bool is_error = level == Level::kError;
  const auto* cause = std::find_if(fields.begin(), fields.end(), [](const Field& f) { return f.key == "error"; });
  if (!is_error) {
    w.key("v").integer(v);
  } else if (cause == fields.end()) {
    w.key("err").string("");
  }
  if (level == Level::kWarning) w.key("level").string("warning");
  for (const Field& field : fields) {
    w.key(is_error && &field == cause ? "err" : field.key);
    append_value(w, field, Format::kJson);
  }
  w.end_object();
  return std::move(w).text();
}

void write(Level level, int v, std::string_view event, Fields fields, const Where& where) {
  State& s = state();
  Options options;
  {
    const std::lock_guard lock(s.mutex);
    options = s.options;
    if (!s.captures.empty()) {
      (*s.captures.back())(level, event, text_line(event, fields));
      return;
    }
  }
  if (level == Level::kInfo && options.verbosity < 0) return;
  if (level == Level::kDebug && v > options.verbosity) return;
  if (options.format == Format::kJson) {
    const std::string line =
        json_line(level, v, event, fields, where, std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
    std::fprintf(stderr, "%s\n", line.c_str());
  } else {
    s.logger->log(spd_level(level), caller(where) + "] " + text_line(event, fields));
  }
}

}  // namespace

void configure(const Options& options) {
  const std::lock_guard lock(state().mutex);
  state().options = options;
}

void error(std::string_view event, Fields fields, Where where) { write(Level::kError, 0, event, fields, where); }
void warning(std::string_view event, Fields fields, Where where) { write(Level::kWarning, 0, event, fields, where); }
void info(std::string_view event, Fields fields, Where where) { write(Level::kInfo, 0, event, fields, where); }
void debug(int v, std::string_view event, Fields fields, Where where) { write(Level::kDebug, v, event, fields, where); }

Capture::Capture(Sink sink) : sink_(std::move(sink)) {
  const std::lock_guard lock(state().mutex);
  state().captures.push_back(&sink_);
}

Capture::~Capture() {
  const std::lock_guard lock(state().mutex);
  std::erase(state().captures, &sink_);
}

}  // namespace kruise::base::log
