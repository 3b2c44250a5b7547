#include "cache/model_server.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace kruise::cache {
namespace {

using Json = nlohmann::json;

std::string query(const std::string& path, const std::string& name) {
  const std::size_t at = std::min(path.find("?" + name + "="), path.find("&" + name + "="));
  if (at == std::string::npos) return "";
  const std::size_t begin = path.find('=', at) + 1;
  return path.substr(begin, path.find('&', begin) - begin);
}

client::ApiError failure(int code, std::string reason) {
  client::ApiError error;
  error.code = code;
  error.reason = std::move(reason);
  error.message = "as the test wants it";
  return error;
}

std::string error_event(int code, const std::string& reason) {
  return Json{
      {"type", "ERROR"},
      {"object",
       {{"kind", "Status"}, {"apiVersion", "v1"}, {"status", "Failure"}, {"message", "no"}, {"reason", reason}, {"code", code}}}}
      .dump();
}

std::string bookmark_line(std::uint64_t version, bool initial_events_end) {
  Json metadata{{"resourceVersion", std::to_string(version)}};
  if (initial_events_end) metadata["annotations"] = {{"k8s.io/initial-events-end", "true"}};
  // As the API server writes it: type first.
  return R"({"type":"BOOKMARK","object":)" + Json{{"kind", "Thing"}, {"metadata", metadata}}.dump() + "}";
}

}  // namespace

Decoder<Thing>::Decoded decode_thing(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  if (object.is_discarded()) return api::DecodeError{"", "not JSON", true};
  auto thing = std::make_shared<Thing>();
  const Json& meta = object["metadata"];
  thing->meta.name = meta.value("name", "");
  thing->meta.ns = meta.value("namespace", "");
  thing->meta.uid = meta.value("uid", "");
  thing->meta.resource_version = meta.value("resourceVersion", "");
  for (const Json& owner : meta.value("ownerReferences", Json::array())) thing->meta.owners.push_back({"", "", "", owner["uid"]});
  const Json number = object.value("number", Json(0));
  if (!number.is_number_integer()) return api::DecodeError{"number", "expected an integer", false};
  thing->number = number;
  return std::shared_ptr<const Thing>(std::move(thing));
}

class ModelServer::Stream final : public client::Watch {
 public:
  Stream(ModelServer& server, client::WatchHandler& handler, std::uint64_t position)
      : server_(server), handler_(handler), position_(position) {
    server_.streams_.push_back(this);
    pump();
  }
  ~Stream() override { std::erase(server_.streams_, this); }

  void send_first(std::vector<std::string> lines) { first_ = {lines.begin(), lines.end()}; }
  void end(std::optional<client::ApiError> error) {
    over_ = true;
    post([this, error] { handler_.on_end(error); });
  }
  void bookmark() {
    if (position_ == server_.version_ || first_.empty()) extra_.push_back(bookmark_line(server_.version_, false));
    pump();
  }
  /// What history is about to lose and this watch has not shown yet stays in its buffer.
  void keep_pending() {
    for (const Event& event : server_.history_) {
      if (event.version > position_) first_.push_back(event.line);
    }
    position_ = std::max(position_, server_.version_);
  }
  void pump() {
    if (over_ || silent || pumping_) return;
    pumping_ = true;
    post([this] { step(); });
  }
  bool silent = false;

 private:
  void post(std::function<void()> task) {
    server_.loop_.post([task = std::move(task), alive = std::weak_ptr(alive_)] {
      if (alive.lock()) task();
    });
  }
  /// One line, or one fault.
  void step() {
    pumping_ = false;
    if (over_ || silent) return;
    std::string line;
    if (!first_.empty()) {
      line = std::move(first_.front());
      first_.pop_front();
    } else {
      const auto next = std::ranges::find_if(server_.history_, [&](const Event& event) { return event.version > position_; });
      if (next != server_.history_.end()) {
        line = next->line;
        position_ = next->version;
      } else if (!extra_.empty()) {
        line = std::exchange(extra_, {}).back();
        position_ = server_.version_;
      } else {
        return;
      }
    }
    const Faults& faults = server_.faults;
    if (server_.chance(faults.end_stream)) return end(std::nullopt);
    if (server_.chance(faults.error_event))
      line = server_.chance(0.5) ? error_event(500, "InternalError") : error_event(429, "TooManyRequests");
    if (server_.chance(faults.foreign_line))
      line = server_.chance(0.5) ? "<html>no</html>" : R"({"type":"ADDED","object":{"kind":)";
    if (server_.chance(faults.break_stream)) {
      return break_off(server_.chance(faults.partial_line) ? line.substr(0, server_.random_.below(line.size())) : "");
    }
    if (server_.cut_at_byte && server_.bytes_sent + line.size() + 1 > *server_.cut_at_byte) {
      line.resize(std::min(line.size(), *server_.cut_at_byte - server_.bytes_sent));
      server_.cut_at_byte.reset();
      return break_off(server_.deliver_cut_line ? line : "");
    }
    const std::weak_ptr alive = alive_;
    hand_over(line);
    if (alive.lock()) pump();
  }
  void break_off(const std::string& cut_line) {
    over_ = true;
    const std::weak_ptr alive = alive_;
    if (!cut_line.empty()) hand_over(cut_line);
    if (alive.lock()) end(failure(0, "Unreachable"));
  }
  void hand_over(std::string line) {
    server_.bytes_sent += line.size() + 1;
    const std::size_t size = line.size();
    line.resize(size + kPadding, '#');
    handler_.on_event(std::string_view(line).substr(0, size));
  }

  ModelServer& server_;
  client::WatchHandler& handler_;
  std::uint64_t position_;
  std::deque<std::string> first_;
  std::vector<std::string> extra_;
  bool over_ = false, pumping_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

void ModelServer::record(const char* type, std::uint64_t version, const std::string& json) {
  history_.push_back({version, std::string(R"({"type":")") + type + R"(","object":)" + json + "}"});
  if (chance(faults.compact)) compact();
  for (Stream* stream : streams_) stream->pump();
}

void ModelServer::put(const std::string& ns, const std::string& name, std::int64_t number, const std::string& owner) {
  Stored& stored = objects_[ns + "/" + name];
  const bool added = stored.version == 0;
  if (added) stored.uid = "uid-" + std::to_string(++uids_);
  stored.version = ++version_;
  stored.rest = (owner.empty() ? "" : R"(,"ownerReferences":[{"uid":")" + owner + R"("}])") + R"(},"number":)" +
                (number < 0 ? R"("none")" : std::to_string(number)) + "}";
  stored.json = json_of(ns, name, stored);
  record(added ? "ADDED" : "MODIFIED", version_, stored.json);
}

void ModelServer::remove(const std::string& ns, const std::string& name) {
  auto gone = objects_.extract(ns + "/" + name);
  gone.mapped().version = ++version_;
  record("DELETED", version_, json_of(ns, name, gone.mapped()));
}

std::string ModelServer::json_of(const std::string& ns, const std::string& name, const Stored& stored) {
  return R"({"metadata":{"name":")" + name + R"(","namespace":")" + ns + R"(","uid":")" + stored.uid +
         R"(","resourceVersion":")" + std::to_string(stored.version) + '"' + stored.rest;
}

void ModelServer::compact() {
  for (Stream* stream : streams_) stream->keep_pending();
  compacted_ = version_;
  history_.clear();
}

void ModelServer::bookmark() {
  for (Stream* stream : streams_) stream->bookmark();
}

void ModelServer::restore(std::uint64_t version) {
  version_ = version;
  compacted_ = 0;
  history_.clear();
  drop_watches(false);
}

void ModelServer::drop_watches(bool in_good_order) {
  for (Stream* stream : streams_) stream->end(in_good_order ? std::nullopt : std::optional(failure(0, "Unreachable")));
}

void ModelServer::go_silent() {
  for (Stream* stream : streams_) stream->silent = true;
}

client::Outcome ModelServer::answer(const std::string& path) {
  if (chance(faults.refuse_list)) return chance(0.5) ? failure(500, "InternalError") : failure(0, "Unreachable");
  const std::string token = query(path, "continue"), limit = query(path, "limit");
  std::uint64_t at = version_;
  std::string after;
  if (token.empty()) {
    ++lists;
    snapshots_[at] = {at, objects_};
  } else {
    at = std::stoull(token);
    after = token.substr(token.find('-') + 1);
    std::ranges::replace(after, '_', '/');  // what a path need not escape
    if (at < compacted_ || !snapshots_.contains(at)) return failure(410, "Expired");
  }
  ++pages;
  const auto& objects = snapshots_[at].objects;
  std::string items, last;
  std::size_t left = limit.empty() ? objects.size() : std::stoull(limit);
  auto next = after.empty() ? objects.begin() : objects.upper_bound(after);
  for (; next != objects.end() && left > 0; ++next, --left) {
    items += (items.empty() ? "" : ",") + next->second.json;
    last = next->first;
  }
  Json metadata{{"resourceVersion", std::to_string(at)}};
  std::ranges::replace(last, '/', '_');
  if (next != objects.end()) metadata["continue"] = std::to_string(at) + "-" + last;
  std::string body = R"({"kind":"ThingList","apiVersion":"v1","metadata":)" + metadata.dump() + R"(,"items":[)" + items + "]}\n";
  if (on_page) std::exchange(on_page, {})(body);
  if (chance(faults.cut_page)) body.resize(random_.below(body.size()));
  return client::Response{200, std::move(body), "application/json"};
}

void ModelServer::send(client::Request request, client::Done done) {
  if (on_request) on_request(request);
  loop_.post_after(std::chrono::milliseconds(1), [this, path = request.path, done = std::move(done)] { done(answer(path)); });
}

std::unique_ptr<client::Watch> ModelServer::watch(client::Request request, client::WatchHandler& handler) {
  if (on_request) on_request(request);
  ++watches;
  const std::string version = query(request.path, "resourceVersion");
  const bool wants_list = request.path.find("sendInitialEvents=true") != std::string::npos;
  const std::uint64_t from = wants_list || version.empty() ? version_ : std::stoull(version);
  auto stream = std::make_unique<Stream>(*this, handler, from);
  if (chance(faults.refuse_watch)) {
    stream->end(failure(500, "InternalError"));
  } else if (wants_list && refuse_stream_with_422) {
    stream->end(failure(422, "Invalid"));
  } else if (wants_list && !streams_lists) {
    stream->send_first({error_event(500, "InternalError")});
  } else if (wants_list) {
    ++streamed;
    std::vector<std::string> lines;
    for (const auto& [key, stored] : objects_) lines.push_back(R"({"type":"ADDED","object":)" + stored.json + "}");
    lines.push_back(bookmark_line(version_, true));
    stream->send_first(std::move(lines));
  } else if (from < compacted_ || from > version_) {
    if (chance(0.5)) {
      stream->end(failure(410, "Expired"));
    } else {
      stream->send_first({error_event(410, "Expired")});
    }
  }
  return stream;
}

}  // namespace kruise::cache
