#include "runtime/event_recorder.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/json_writer.hpp"
#include "base/log.hpp"
#include "client/request.hpp"

namespace kruise::runtime {
namespace {

constexpr std::string_view kCombined = "(combined from similar events): ";
constexpr base::Duration kSimilarPause = std::chrono::minutes(10);
constexpr double kBurst = 25;
constexpr base::Duration kOneMoreEvery = std::chrono::minutes(5);
constexpr base::Duration kTryAgain = std::chrono::seconds(10);

/// At most `bytes`, and no character cut in two.
std::string shortened(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  text.resize(bytes);
  return text;
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const auto part : parts) {
    text += part;
    text += '\n';
  }
  return text;
}

std::string_view type_name(Event::Type type) { return type == Event::Type::kNormal ? "Normal" : "Warning"; }

struct Body {
  const ObjectReference& object;
  const EventSource& source;
  const Event& event;
  std::string_view name, ns, message;
  base::Time first, last;
  int count;
};

std::string text_of(const Body& b) {
  base::JsonWriter w;
  w.begin_object().key("apiVersion").string("v1").key("kind").string("Event");
  w.key("metadata").begin_object().key("name").string(b.name).key("namespace").string(b.ns).end_object();
  w.key("involvedObject").begin_object();
  w.key("kind").string(b.object.resource->kind).key("apiVersion").string(b.object.resource->api_version());
  if (!b.object.key.ns.empty()) w.key("namespace").string(b.object.key.ns);
  w.key("name").string(b.object.key.name);
  if (!b.object.uid.empty()) w.key("uid").string(b.object.uid);
  if (!b.object.resource_version.empty()) w.key("resourceVersion").string(b.object.resource_version);
  w.end_object();
  w.key("reason").string(b.event.reason).key("message").string(b.message).key("type").string(type_name(b.event.type));
  w.key("source").begin_object().key("component").string(b.source.component);
  if (!b.source.host.empty()) w.key("host").string(b.source.host);
  w.end_object();
  w.key("firstTimestamp").string(base::format_time(b.first)).key("lastTimestamp").string(base::format_time(b.last));
  w.key("count").integer(b.count);
  w.key("reportingComponent").string(b.source.component).key("reportingInstance").string(b.source.host);
  w.end_object();
  return std::move(w).text();
}

std::string patch_of(int count, base::Time last, std::string_view message) {
  base::JsonWriter w;
  w.begin_object().key("count").integer(count).key("lastTimestamp").string(base::format_time(last));
  w.key("message").string(message).end_object();
  return std::move(w).text();
}

std::string hex(std::uint64_t number) {
  std::string text(16, '\0');
  text.resize(static_cast<std::size_t>(std::to_chars(text.data(), text.data() + text.size(), number, 16).ptr - text.data()));
  return text;
}

}  // namespace

EventRecorder::EventRecorder(client::Client& client, std::string user_agent)
    : client_(client), user_agent_(std::move(user_agent)) {}

void EventRecorder::record(const ObjectReference& object, const EventSource& source, const Event& event) {
  const base::Clock& clock = client_.executor().clock();
  const std::string about = joined({source.component, source.host, object.resource->api_version(), object.resource->kind,
                                    object.key.ns, object.key.name, object.uid});
  std::string key = about + joined({type_name(event.type), event.reason});
  std::string message = shortened(event.message, kMessageBytesMax);

  Similar& similar = similar_[key];
  if (clock.mono() - similar.last > kSimilarPause) similar.messages.clear();
  similar.last = clock.mono();
  if (similar.messages.size() < kDistinctMessagesMax) similar.messages.insert(message);
  const bool combined = similar.messages.size() >= kDistinctMessagesMax;
  if (!combined) key += message;
  if (combined) message = shortened(std::string(kCombined) + message, kMessageBytesMax);

  if (!allowed(about)) {
    ++dropped_;
    return;
  }
  const base::Time now = clock.now();
  Known& known = known_[key];
  const bool again = known.count > 0;
  if (!again) {
    last_id_ = std::max(last_id_ + 1, static_cast<std::uint64_t>(now.time_since_epoch().count()));
    known = {object.key.name + "." + hex(last_id_), now, 0};
  }
  ++known.count;
  const std::string ns = object.key.ns.empty() ? "default" : object.key.ns;
  const std::string body = text_of({object, source, event, known.name, ns, message, known.first, now, known.count});
  Queued queued{client::create(api::kEvents, ns, body), {}, key};
  if (again) {
    queued.otherwise = std::exchange(queued.request, client::patch(api::kEvents, {ns, known.name}, client::PatchType::kMerge,
                                                                   patch_of(known.count, now, message)));
  }
  enqueue(std::move(queued));
}

bool EventRecorder::allowed(const std::string& source_and_object) {
  Allowance& allowance = allowances_[source_and_object];
  const base::MonoTime now = client_.executor().clock().mono();
  const double earned = std::chrono::duration<double>(now - allowance.at) / std::chrono::duration<double>(kOneMoreEvery);
  allowance.tokens = allowance.used ? std::min(kBurst, allowance.tokens + earned) : kBurst;
  allowance.used = true;
  allowance.at = now;
  if (allowance.tokens < 1) return false;
  allowance.tokens -= 1;
  return true;
}

void EventRecorder::enqueue(Queued queued) {
  if (queue_.size() >= kQueueMax) {
    ++dropped_;
    return;
  }
  queued.request.user_agent = user_agent_;
  queued.otherwise.user_agent = user_agent_;
  queue_.push_back(std::move(queued));
  if (!sending_) send_next();
}

void EventRecorder::send_next() {
  if (queue_.empty()) {
    sending_ = false;
    if (flushed_) std::exchange(flushed_, nullptr)();
    return;
  }
  sending_ = true;
  client_.send(queue_.front().request, life_.bind([this](const client::Outcome& outcome) {
    Queued& sent = queue_.front();
    if (!outcome && outcome.error().not_found() && !sent.otherwise.path.empty()) {
      sent.request = std::move(sent.otherwise);  // expired on the server since
      sent.otherwise = {};
      send_next();
      return;
    }
    const bool no_answer =
        !outcome && (outcome.error().code == 0 || outcome.error().code >= 500 || outcome.error().too_many_requests());
    if (no_answer && ++sent.tries < kTriesMax) {
      client_.executor().post_after(kTryAgain, life_.bind([this] { send_next(); }));
      return;
    }
    if (!outcome) {
      ++dropped_;
      known_.erase(sent.key);
      base::log::debug(2, "event was not accepted", {{"error", outcome.error().text()}});
    }
    queue_.pop_front();
    send_next();
  }));
}

void EventRecorder::flush(std::function<void()> done) {
  if (!sending_) {
    done();
    return;
  }
  flushed_ = std::move(done);
}

}  // namespace kruise::runtime
