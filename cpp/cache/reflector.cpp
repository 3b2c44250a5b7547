#include "cache/reflector.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "client/request.hpp"

namespace kruise::cache {

namespace log = base::log;

namespace {

constexpr int kWatchAttemptsMax = 4;   // then the version is not trusted any more
constexpr int kStreamAttemptsMax = 3;  // then pages are used
constexpr int kExpiredPagesMax = 3;    // then everything is asked for at once
constexpr std::uint64_t kPagesMax = 100'000;
constexpr base::Duration kHealthyAfter = std::chrono::seconds(10);
constexpr base::Duration kGoneDelayMax = std::chrono::seconds(5);

bool refuses_parameters(const client::ApiError& error) { return error.code == 400 || error.code == 422; }

}  // namespace

/// One connection. Outlives its reflector's interest until the executor runs again, because it may be on the stack.
struct Reflector::Session final : client::WatchHandler {
  Reflector* reflector = nullptr;
  std::unique_ptr<client::Watch> watch;
  base::MonoTime opened;
  bool heard = false;  // of anything

  void on_event(std::string_view line) override {
    if (reflector != nullptr) reflector->take_line(line);
  }
  void on_end(std::optional<client::ApiError> error) override {
    if (reflector != nullptr) reflector->take_end(error);
  }
};

Reflector::Reflector(client::Client& client, api::Resource resource, Feed& feed, base::Random random, ReflectorOptions options)
    : client_(client),
      resource_(std::move(resource)),
      feed_(feed),
      random_(random),
      options_(std::move(options)),
      epoch_(std::make_shared<std::uint64_t>(0)) {}

Reflector::~Reflector() {
  client_.executor().cancel(retry_timer_);
  client_.executor().cancel(silence_timer_);
}

void Reflector::start() {
  if (state_ != State::kStopped) return;
  attempts_ = 0;
  proceed();
}

void Reflector::stop() {
  if (state_ == State::kListing || state_ == State::kStreaming) feed_.abort_list();
  close();
  client_.executor().cancel(retry_timer_);
  state_ = State::kStopped;
}

void Reflector::relist() {
  if (state_ == State::kStopped) return;
  stop();
  needs_list_ = true;
  start();
}

ReflectorStats Reflector::stats() const {
  ReflectorStats stats = stats_;
  stats.state = state_;
  stats.feed = feed_.stats();
  return stats;
}

/// Leaves the connection, or the answer under way, behind.
void Reflector::close() {
  ++*epoch_;
  client_.executor().cancel(silence_timer_);
  if (!session_) return;
  session_->reflector = nullptr;
  client_.executor().post([retired = std::shared_ptr<Session>(std::move(session_))] {});
}

/// `task` unless something else was begun or ended meanwhile: a timer that was due when it was cancelled may still run.
base::Task Reflector::of_this_epoch(base::Task task) const {
  return [task = std::move(task), asked = *epoch_, epoch = std::weak_ptr(epoch_)] {
    const auto now = epoch.lock();
    if (now && *now == asked) task();
  };
}

void Reflector::proceed() {
  if (!needs_list_) {
    open(State::kWatching);
    return;
  }
  feed_.begin_list();
  list_begun_ = client_.executor().clock().mono();
  if (options_.facts->streams_lists && stream_attempts_ < kStreamAttemptsMax) {
    open(State::kStreaming);
  } else {
    listed_pages_ = 0;
    request_page("");
  }
}

void Reflector::request_page(std::string token) {
  state_ = State::kListing;
  client::ListOptions list;
  list.label_selector = options_.scope.label_selector;
  list.field_selector = options_.scope.field_selector;
  list.continue_token = token;
  list.limit = paged_ ? options_.page_objects_max : 0;
  client_.send(client::list(resource_, options_.scope.ns, list),
               [this, token = std::move(token), asked = ++*epoch_, epoch = std::weak_ptr(epoch_)](client::Outcome outcome) {
                 const auto now = epoch.lock();
                 if (now && *now == asked) take_page(token, std::move(outcome));
               });
}

void Reflector::take_page(const std::string& asked_token, client::Outcome outcome) {
  if (!outcome) {
    const client::ApiError& error = outcome.error();
    if (error.expired()) {
      ++stats_.expired;
      if (!asked_token.empty() && ++expired_pages_ >= kExpiredPagesMax) paged_ = false;
    }
    fail({"list: " + error.text(), true, error.retry_after, error.not_found()});
    return;
  }
  sign_of_life();
  ++stats_.pages;
  std::string& body = outcome->body;
  body.reserve(body.size() + client::Client::kPadding);
  auto meta = feed_.page(body);
  body = {};
  if (!meta) {
    foreign_bytes(meta.error());
    return;
  }
  if (meta->continue_token.empty()) {
    finish_list(meta->version);
  } else if (meta->continue_token == asked_token || ++listed_pages_ == kPagesMax) {
    foreign_bytes({"metadata.continue", "the list has no end", true});
  } else {
    request_page(std::move(meta->continue_token));
  }
}

void Reflector::finish_list(std::uint64_t version) {
  needs_list_ = false;
  watch_attempts_ = 0;
  paged_ = true;
  expired_pages_ = 0;
  ++stats_.lists;
  stats_.listed_from = list_begun_;
  const State before = state_;
  if (before == State::kStreaming) {
    stream_attempts_ = 0;
    ++stats_.streamed_lists;
    state_ = State::kWatching;
  }
  const std::uint64_t epoch = *epoch_;
  feed_.end_list(version);
  log::debug(2, "listed", {{"resource", resource_.plural}, {"objects", feed_.stats().objects}, {"version", version}});
  // A subscriber may have stopped us.
  if (before == State::kListing && state_ == before && *epoch_ == epoch) proceed();
}

void Reflector::open(State purpose) {
  close();
  state_ = purpose;
  client::WatchOptions watch;
  watch.label_selector = options_.scope.label_selector;
  watch.field_selector = options_.scope.field_selector;
  watch.send_initial_events = purpose == State::kStreaming;
  if (purpose == State::kWatching) watch.resource_version = std::to_string(feed_.version());
  const base::Duration spread = options_.watch_timeout_max - options_.watch_timeout_min;
  const base::Duration timeout = options_.watch_timeout_min +
                                 base::Duration(static_cast<std::int64_t>(random_.unit() * static_cast<double>(spread.count())));
  watch.timeout_s = static_cast<int>(std::chrono::ceil<std::chrono::seconds>(timeout).count());
  ++stats_.watches;
  session_ = std::make_unique<Session>();
  session_->reflector = this;
  session_->opened = client_.executor().clock().mono();
  session_->watch = client_.watch(client::watch(resource_, options_.scope.ns, watch), *session_);
  stats_.last_sign_of_life = stats_.last_sign_of_life.value_or(session_->opened);
  arm_silence_timer();
}

void Reflector::take_line(std::string_view line) {
  const bool first = !std::exchange(session_->heard, true);
  sign_of_life();
  const auto event = parse_event(line);
  if (!event) {
    foreign_bytes(event.error());
    return;
  }
  if (event->type == WatchEvent::Type::kError) {
    if (state_ == State::kStreaming && first) {
      give_up_streaming();
    } else {
      take_error(*event);
    }
    return;
  }
  if (event->type == WatchEvent::Type::kBookmark) {
    take_bookmark(*event);
    return;
  }
  if (state_ == State::kWatching) {
    attempts_ = watch_attempts_ = 0;
    ++stats_.events;
  }
  const auto error = state_ == State::kStreaming ? feed_.list_event(*event) : feed_.event(*event);
  if (error && session_) foreign_bytes(*error);
}

void Reflector::take_error(const WatchEvent& event) {
  const client::ApiError error = client::error_from_status(200, event.object);
  if (error.expired()) ++stats_.expired;
  fail({"watch: " + error.text(), error.expired(), error.retry_after});
}

void Reflector::take_bookmark(const WatchEvent& event) {
  const auto bookmark = parse_bookmark(event.object);
  if (!bookmark) {
    foreign_bytes(bookmark.error());
    return;
  }
  ++stats_.bookmarks;
  if (state_ == State::kStreaming) {
    if (bookmark->initial_events_end) finish_list(bookmark->version);
    return;
  }
  attempts_ = watch_attempts_ = 0;
  sees_bookmarks_ = true;
  feed_.bookmark(bookmark->version);
}

void Reflector::take_end(const std::optional<client::ApiError>& error) {
  const bool healthy = session_->heard || client_.executor().clock().mono() - session_->opened >= kHealthyAfter;
  if (state_ == State::kStreaming) {
    if (error && !session_->heard && refuses_parameters(*error)) {
      give_up_streaming();
      return;
    }
    fail({error ? "streamed list: " + error->text() : "streamed list: ended before it was complete", true,
          error ? error->retry_after : std::nullopt, error && error->not_found()});
  } else if (!error && healthy) {
    open(State::kWatching);
  } else if (!error) {
    fail({"watch: closed at once", false, {}, false});
  } else {
    if (error->expired()) ++stats_.expired;
    fail({"watch: " + error->text(), error->expired() || error->not_found(), error->retry_after, error->not_found()});
  }
}

/// The server cannot stream lists: remembered for all kinds, until the process ends.
void Reflector::give_up_streaming() {
  options_.facts->streams_lists = false;
  log::debug(1, "server streams no lists, using pages", {{"resource", resource_.plural}});
  close();
  feed_.abort_list();
  proceed();
}

void Reflector::foreign_bytes(const api::DecodeError& error) {
  ++stats_.foreign;
  fail({"bytes that are no answer of an API server: " + error.text(), true, {}, false});
}

void Reflector::fail(Failure failure) {
  if (state_ == State::kListing || state_ == State::kStreaming) feed_.abort_list();
  if (state_ == State::kStreaming) ++stream_attempts_;
  const bool was_watching = state_ == State::kWatching;
  close();
  state_ = State::kWaiting;
  ++stats_.failures;
  ++attempts_;
  if (was_watching && ++watch_attempts_ >= kWatchAttemptsMax) failure.list = true;
  if (failure.list) needs_list_ = true;
  const base::Duration delay = next_delay(failure);
  log::warning(
      "cache fell behind, trying again",
      {{"resource", resource_.plural}, {"error", failure.what}, {"list", needs_list_}, {"retry_ms", delay.count() / 1'000'000}});
  stats_.last_error = std::move(failure.what);
  retry_timer_ = client_.executor().post_after(delay, of_this_epoch([this] { proceed(); }));
}

base::Duration Reflector::next_delay(const Failure& failure) {
  constexpr int kDoublingsMax = 20;
  const base::Duration most = failure.gone ? std::min(kGoneDelayMax, options_.retry_delay_max) : options_.retry_delay_max;
  const base::Duration full =
      std::min(most, base::Duration(options_.retry_delay_min * (1LL << std::min(attempts_ - 1, kDoublingsMax))));
  const auto jittered = base::Duration(static_cast<std::int64_t>(static_cast<double>(full.count()) * (0.5 + random_.unit() / 2)));
  return std::max(jittered, std::min(failure.retry_after.value_or(base::Duration{0}), most * 4));
}

void Reflector::sign_of_life() { stats_.last_sign_of_life = client_.executor().clock().mono(); }

base::Duration Reflector::silence_max() const {
  if (state_ == State::kStreaming) return options_.stream_silence_max;
  if (sees_bookmarks_) return 2 * options_.bookmark_interval;
  return options_.watch_timeout_max + options_.stream_silence_max;  // the server should have closed by then
}

void Reflector::arm_silence_timer() {
  client_.executor().cancel(silence_timer_);
  const base::MonoTime since = std::max(session_->opened, *stats_.last_sign_of_life);
  silence_timer_ = client_.executor().post_after(since + silence_max() - client_.executor().clock().mono(),
                                                 of_this_epoch([this] { check_silence(); }));
}

void Reflector::check_silence() {
  const base::MonoTime since = std::max(session_->opened, *stats_.last_sign_of_life);
  if (client_.executor().clock().mono() - since < silence_max()) {
    arm_silence_timer();
  } else if (state_ == State::kStreaming) {
    fail({"streamed list: silence", true, {}, false});
  } else {
    ++stats_.renewals;
    log::debug(1, "watch fell silent, renewed", {{"resource", resource_.plural}});
    open(State::kWatching);
  }
}

}  // namespace kruise::cache
