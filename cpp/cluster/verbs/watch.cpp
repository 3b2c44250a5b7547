#include "cluster/watch_stream.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "cluster/verbs/verbs.hpp"

namespace kruise::cluster {
namespace {

constexpr std::int64_t kTimeoutSecondsMin = 1800;  // drawn between it and twice as much when the client sets none

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A watch that can only say why it is none: once its options are read, a fault is an event, no answer.
class Refusal final : public ApiServer::Stream {
 public:
  Refusal(const Response& status, base::MonoTime now)
      : line_(std::make_shared<const std::string>(watch_line("ERROR", status.body))), now_(now) {}
  std::optional<std::shared_ptr<const std::string>> next() override {
    if (line_ == nullptr) return std::nullopt;
    return std::exchange(line_, nullptr);
  }
  [[nodiscard]] bool ended() const override { return line_ == nullptr; }
  void on_ready(std::function<void()>) override {}
  [[nodiscard]] base::MonoTime due() const override { return now_; }

 private:
  std::shared_ptr<const std::string> line_;
  base::MonoTime now_;
};

Response invalid_options(const FieldErrors& errors) {
  return invalid({.group = "meta.k8s.io", .resource = {}, .kind = "ListOptions", .name = {}, .uid = {}}, errors);
}

}  // namespace

base::Result<std::unique_ptr<ApiServer::Stream>, Response> watch(Call& call) {
  const Query& query = call.info.query;
  auto selection = Selection::from(call.kind, call.info);
  if (!selection) return selection.error();
  auto view = View::of(call.request.accept, call.kind, query, call.now);
  if (!view) return view.error();

  const std::string_view from = query.get("resourceVersion");
  WatchStream::Options options;
  options.bookmarks = query.flag("allowWatchBookmarks");
  // Where the client does not say, the state comes first, and its end is told, when it names no version.
  options.send_initial_events = query.has("sendInitialEvents") ? query.flag("sendInitialEvents") : from.empty() || from == "0";
  if (query.has("sendInitialEvents") && query.get("resourceVersionMatch") != "NotOlderThan") {
    FieldErrors errors;
    errors.forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    if (const auto match = query.get("resourceVersionMatch"); !match.empty())
      errors.not_supported("resourceVersionMatch", std::string(match), {"NotOlderThan"});
    return invalid_options(errors);
  }
  if (!query.has("sendInitialEvents") && query.has("resourceVersionMatch")) {
    FieldErrors errors;
    errors.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    return invalid_options(errors);
  }
  const auto seconds = parse_integer(query.get("timeoutSeconds"));
  options.timeout = std::chrono::seconds(
      seconds && *seconds > 0 ? *seconds : kTimeoutSecondsMin + static_cast<std::int64_t>(call.context.draw(kTimeoutSecondsMin)));

  Storage& storage = call.context.storage();
  const auto version = from.empty() ? std::optional<std::int64_t>(0) : parse_integer(from);
  if (!version || *version < 0) {
    return answer({.code = 500,
                   .message = "resourceVersion: Invalid value: \"" + std::string(from) + "\": strconv.ParseUint: parsing \"" +
                              std::string(from) + "\": invalid syntax"});
  }
  const bool initial = options.send_initial_events;
  const auto stream = [&](Storage::Cursor cursor, std::uint64_t at,
                          const std::vector<ObjectPtr>& objects) -> std::unique_ptr<ApiServer::Stream> {
    return std::make_unique<WatchStream>(storage, call.kind, std::move(*selection), std::move(*view), options,
                                         call.context.clock(), cursor, at, objects);
  };
  const auto refuse = [&](const Response& status) -> std::unique_ptr<ApiServer::Stream> {
    return std::make_unique<Refusal>(status, call.context.clock().mono());
  };
  if (initial && static_cast<std::uint64_t>(*version) > storage.version())
    return refuse(too_large_version(static_cast<std::uint64_t>(*version), storage.version()));
  if (initial || *version == 0) {
    auto start = storage.start(call.kind->table(), {.prefix = selection->prefix(), .start = {}, .at = {}});
    if (!initial) start.listing.objects.clear();
    return stream(start.cursor, start.listing.version, start.listing.objects);
  }
  const auto cursor = storage.cursor_after(call.kind->table(), static_cast<std::uint64_t>(*version));
  if (!cursor) {
    return refuse(gone("too old resource version: " + std::string(from) + " (" + std::to_string(storage.version()) + ")"));
  }
  return stream(*cursor, static_cast<std::uint64_t>(*version), {});
}

}  // namespace kruise::cluster
