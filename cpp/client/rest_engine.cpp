#include "client/rest_engine.hpp"

#include <algorithm>
#include <limits>

#include "client/path_template.hpp"

namespace kruise::client {
namespace {

using base::Duration;
using base::MonoTime;
using namespace std::chrono_literals;

constexpr int kReadRetriesMax = 3;
constexpr Duration kRetryDelay = 50ms;  // doubled each time
constexpr Duration kRetryAfterMin = 100ms;
constexpr Duration kLookAtWaiting = 100ms;
constexpr Duration kIdleWaitMax = 60s;
constexpr std::size_t kIdleHandlesMax = 16;
constexpr std::int64_t kNoDeadline = std::numeric_limits<std::int64_t>::max();

}  // namespace

RestClient::Engine::Engine(const Config& config, base::Executor& executor, RestOptions options)
    : executor_(executor),
      options_(std::move(options)),
      target_(config),
      write_deadline_ns_(kNoDeadline),
      write_stopped_([this] { return writes_stopped(); }),
      multi_(curl_multi_init()),
      credentials_(
          config, [this] { curl_multi_wakeup(multi_.get()); }, clock_),
      watches_(
          target_, options_.user_agent, credentials_, [this](const auto&... exchange) { report(exchange...); },
          options_.watch_rest) {
  if (options_.rate) limiter_.emplace(*options_.rate);
  curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_CONCURRENT_STREAMS, static_cast<long>(kStreamsPerConnectionMax));
  thread_ = std::make_unique<base::Thread>("kruise-rest", [this](const std::stop_token& stop) { run(stop); });
}

RestClient::Engine::~Engine() { stop(); }

// --- any thread --------------------------------------------------------------------------------------------------------------

void RestClient::Engine::command(std::function<void()> command) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    commands_.push_back(std::move(command));
  }
  curl_multi_wakeup(multi_.get());
}

void RestClient::Engine::submit(Request request, Done done) {
  auto call = std::make_shared<Call>();
  call->deadline = clock_.mono() + request.timeout.value_or(options_.timeout);
  call->request = std::move(request);
  call->done = std::move(done);
  {
    const std::lock_guard lock(mutex_);
    if (!stopped_) {
      commands_.emplace_back([this, call] { enqueue(std::make_unique<Call>(std::move(*call))); });
      curl_multi_wakeup(multi_.get());
      return;
    }
  }
  executor_.post([call] { call->done(own_error("Aborted", "the client is closed")); });
}

std::shared_ptr<WatchChannel> RestClient::Engine::open(Request request, WatchHandler& handler) {
  // The channel names itself to the engine when it may go on; neither keeps the other alive.
  auto self = std::make_shared<std::weak_ptr<WatchChannel>>();
  auto channel = std::make_shared<WatchChannel>(executor_, handler, [engine = weak_from_this(), self] {
    const auto alive = engine.lock();
    if (!alive) return;
    alive->command([raw = alive.get(), key = self->lock().get()] { raw->watches_.resume(key); });
  });
  *self = channel;
  const MonoTime deadline = clock_.mono() + request.timeout.value_or(options_.timeout);
  command([this, channel, request = std::move(request), deadline]() mutable {
    watches_.add(std::move(channel), std::move(request), deadline);
  });
  return channel;
}

void RestClient::Engine::close(const std::shared_ptr<WatchChannel>& channel) {
  command([this, channel] { watches_.remove(channel.get()); });
}

void RestClient::Engine::set_write_deadline(std::optional<MonoTime> deadline) {
  write_deadline_ns_ = deadline ? deadline->time_since_epoch().count() : kNoDeadline;
  curl_multi_wakeup(multi_.get());
}

void RestClient::Engine::abort_all() {
  command([this] { abort_calls([](const Call& call) { return !call.request.exempt; }, "the request was aborted"); });
}

void RestClient::Engine::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
  }
  thread_->request_stop();
  curl_multi_wakeup(multi_.get());
  thread_.reset();
  run_commands();
  abort_calls([](const Call&) { return true; }, "the client is closed");
  watches_.end_all(own_error("Aborted", "the client is closed"));
}

// --- I/O thread --------------------------------------------------------------------------------------------------------------

void RestClient::Engine::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    run_commands();
    check_deadlines();
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    watches_.run(clock_.mono());
    collect_finished();
    start_due();
    limit_idle_connections();
    auto watches = watches_.wait_on(clock_.mono());
    curl_multi_poll(multi_.get(), watches ? &*watches : nullptr, watches ? 1 : 0, wait_ms(), nullptr);
  }
}

void RestClient::Engine::run_commands() {
  std::vector<std::function<void()>> commands;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
  }
  for (const auto& command : commands) command();
}

void RestClient::Engine::collect_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* handle = message->easy_handle;
    const CURLcode code = message->data.result;
    curl_multi_remove_handle(multi_.get(), handle);
    if (auto call = in_flight_.extract(handle)) finished(std::move(call.mapped()), code);
  }
}

void RestClient::Engine::check_deadlines() {
  const MonoTime now = clock_.mono();
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto next = std::next(at);
    if ((*at)->deadline <= now) {
      auto call = std::move(*at);
      waiting_.erase(at);
      refuse(std::move(call), "Timeout", "the request was not sent in time");
    }
    at = next;
  }
  if (writes_stopped())
    abort_calls([this](const Call& call) { return is_stopped_write(call); }, "no more writes: the deadline has passed");
}

void RestClient::Engine::start_due() {
  if (waiting_.empty() && !watches_.waiting()) return;
  const Credentials::State state = credentials_.get();
  if (state.kind == Credentials::State::Kind::kPending) return;
  const bool failed = state.kind == Credentials::State::Kind::kFailed;
  watches_.start_waiting(state, clock_.mono());

  std::size_t places = room();
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto next = std::next(at);
    Call& call = **at;
    const MonoTime now = clock_.mono();
    if (!call.request.exempt && places == 0) break;
    if (call.not_before <= now && limiter_ && !call.request.exempt && !call.token_taken) {
      call.not_before =
          now + limiter_->reserve(call.request.user_agent.empty() ? options_.user_agent : call.request.user_agent, now);
      call.token_taken = true;
    }
    if (call.not_before <= now) {
      auto due = std::move(*at);
      waiting_.erase(at);
      if (!due->request.exempt) --places;
      if (failed) {
        answer(std::move(due), own_error("Credentials", state.error));
      } else {
        start(std::move(due), state.current);
      }
    }
    at = next;
  }
}

void RestClient::Engine::limit_idle_connections() {
  // The number of open ones is not limited in libcurl but by `room`: what libcurl itself puts off it looks at again one by one,
  // and only when another exchange ends, without regard to time-outs.
  const std::size_t shared = http_version_ == 2 ? kConnectionsMaxHttp2 : kInFlightMaxHttp1;
  const auto kept = static_cast<long>(shared + 1);
  if (kept == connections_kept_) return;
  connections_kept_ = kept;
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kept);
}

int RestClient::Engine::wait_ms() const {
  const MonoTime now = clock_.mono();
  Duration wait = std::min<Duration>(kIdleWaitMax, watches_.until_due(now));
  if (!waiting_.empty()) wait = std::min(wait, kLookAtWaiting);
  for (const auto& call : waiting_) {
    if (call->not_before <= now) break;  // it waits for a place or credentials, which wake us
    wait = std::min(wait, call->not_before - now);
  }
  const std::int64_t deadline = write_deadline_ns_;
  if (deadline != kNoDeadline && !in_flight_.empty()) wait = std::min(wait, Duration(deadline) - now.time_since_epoch());
  return static_cast<int>(std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(wait).count()));
}

// --- requests ----------------------------------------------------------------------------------------------------------------

void RestClient::Engine::enqueue(std::unique_ptr<Call> call) {
  if (waiting_.size() >= kWaitingCallsMax) {
    refuse(std::move(call), "Overloaded", "more than " + std::to_string(kWaitingCallsMax) + " requests wait to be sent");
    return;
  }
  if (call->request.exempt) {
    waiting_.push_front(std::move(call));
  } else {
    waiting_.push_back(std::move(call));
  }
}

std::size_t RestClient::Engine::room() const {
  const auto minus = [](std::size_t most, std::size_t used) { return most > used ? most - used : 0; };
  int version = http_version_;
  std::size_t unplaced = 0;
  std::vector<int> ports;
  for (const auto& [handle, call] : in_flight_) {
    if (version == 0) version = call->handle->http_version();
    if (call->local_port == 0) {
      ++unplaced;
    } else if (std::ranges::find(ports, call->local_port) == ports.end()) {
      ports.push_back(call->local_port);
    }
  }
  const std::size_t used = in_flight_.size();
  if (version == 1) return minus(kInFlightMaxHttp1, used);
  // The first request shows what the server speaks; a connection that is not there yet cannot be shared, so one is opened at a
  // time.
  if (version == 0) return minus(1, used);
  const std::size_t streams = kStreamsPerConnectionMax * std::max<std::size_t>(ports.size(), 1);
  const std::size_t on_present = std::min(minus(streams, used), minus(kUnplacedMaxHttp2, unplaced));
  const std::size_t on_new = minus(1, unplaced);
  return std::min(std::max(on_present, on_new), minus(kInFlightMaxHttp2, used));
}

bool RestClient::Engine::writes_stopped() const { return clock_.mono().time_since_epoch().count() >= write_deadline_ns_; }

bool RestClient::Engine::is_stopped_write(const Call& call) const {
  return !call.is_read() && !call.request.exempt && writes_stopped();
}

void RestClient::Engine::start(std::unique_ptr<Call> call, const Credentials::Current& credentials) {
  if (is_stopped_write(*call)) {
    refuse(std::move(call), "Aborted", "no more writes: the deadline has passed");
    return;
  }
  if (call->handle) {
    // Tried again: it has one.
  } else if (idle_handles_.empty()) {
    call->handle.emplace();
  } else {
    call->handle.emplace(std::move(idle_handles_.back()));
    idle_handles_.pop_back();
  }
  call->credentials = credentials;
  call->started = clock_.mono();
  if (!call->request.exempt) watches_.stay_awake(call->started);
  call->local_port = 0;
  call->body_read = 0;
  call->sent = false;
  call->too_large = false;
  call->answer.clear();
  call->write_stopped = call->is_read() || call->request.exempt ? nullptr : &write_stopped_;
  const std::string& agent = call->request.user_agent.empty() ? options_.user_agent : call->request.user_agent;
  call->handle->prepare(target_, credentials, call->request, agent, Call::kCallbacks, call.get());
  call->handle->share_connections(options_.http1 || http_version_ == 1, call->deadline - call->started);
  CURL* handle = call->handle->get();
  sockets_.attach(handle);
  in_flight_.emplace(handle, std::move(call));
  curl_multi_add_handle(multi_.get(), handle);
}

void RestClient::Engine::finished(std::unique_ptr<Call> call, CURLcode code) {
  if (code == CURLE_OK && !call->handle->header_complete()) code = CURLE_GOT_NOTHING;
  if (!call->request.exempt) watches_.stay_awake(clock_.mono());
  report(*call->handle, call->request, call->started, code == CURLE_OK);
  // Its connection may be dead without a sign, and the next try would have the same.
  if (call->request.exempt && code == CURLE_OPERATION_TIMEDOUT) sockets_.shut_down(call->local_port);
  if (code == CURLE_OK) {
    answered(std::move(call));
  } else {
    failed(std::move(call), code);
  }
}

void RestClient::Engine::answered(std::unique_ptr<Call> call) {
  const CurlHandle& handle = *call->handle;
  const int code = handle.code();
  const MonoTime now = clock_.mono();
  if (http_version_ != 1) http_version_ = handle.http_version();
  if (code == 401 && !call->renewed && credentials_.refused(call->credentials)) {
    call->renewed = true;
    waiting_.push_front(std::move(call));
    return;
  }
  const auto retry_after = handle.retry_after();
  if (code == 429 && retry_after && now + std::max(*retry_after, kRetryAfterMin) < call->deadline) {
    call->not_before = now + std::max(*retry_after, kRetryAfterMin);
    waiting_.push_back(std::move(call));
    return;
  }
  if (code >= 400) {
    ApiError error = error_from_status(code, call->answer, retry_after);
    answer(std::move(call), std::move(error));
  } else {
    Response response{code, std::move(call->answer), handle.content_type()};
    answer(std::move(call), std::move(response));
  }
}

void RestClient::Engine::failed(std::unique_ptr<Call> call, CURLcode code) {
  const MonoTime now = clock_.mono();
  credentials_.doubt();
  const bool repeatable = call->is_read() || surely_not_sent(*call);
  const Duration delay = kRetryDelay * (1U << static_cast<unsigned>(call->retries));
  if (is_connection_error(code) && repeatable && call->retries < kReadRetriesMax && now + delay < call->deadline) {
    ++call->retries;
    call->not_before = now + delay;
    waiting_.push_back(std::move(call));
    return;
  }
  ApiError error = transport_error(code, *call->handle, target_.who);
  if (call->too_large) {
    error = own_error("TooLarge", "the answer of API server " + target_.who + " is larger than " +
                                      std::to_string(kBodyBytesMax >> 20U) + " MiB");
  } else if (call->stopped) {
    error = own_error("Aborted", "no more writes: the deadline has passed");
  }
  error.outcome_unknown = !repeatable;
  answer(std::move(call), std::move(error));
}

void RestClient::Engine::answer(std::unique_ptr<Call> call, Outcome outcome) {
  if (call->handle && idle_handles_.size() < kIdleHandlesMax) idle_handles_.push_back(std::move(*call->handle));
  executor_.post(
      [done = std::move(call->done), outcome = std::make_shared<Outcome>(std::move(outcome))] { done(std::move(*outcome)); });
}

void RestClient::Engine::refuse(std::unique_ptr<Call> call, std::string reason, std::string message) {
  answer(std::move(call), own_error(std::move(reason), std::move(message)));
}

void RestClient::Engine::abort_calls(const std::function<bool(const Call&)>& which, const std::string& message) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto next = std::next(at);
    if (which(**at)) {
      auto call = std::move(*at);
      waiting_.erase(at);
      refuse(std::move(call), "Aborted", message);
    }
    at = next;
  }
  for (auto at = in_flight_.begin(); at != in_flight_.end();) {
    const auto next = std::next(at);
    if (which(*at->second)) {
      auto call = std::move(in_flight_.extract(at).mapped());
      ApiError error = own_error("Aborted", message);
      error.outcome_unknown = !call->is_read() && !surely_not_sent(*call);
      curl_multi_remove_handle(multi_.get(), call->handle->get());
      answer(std::move(call), std::move(error));
    }
    at = next;
  }
}

void RestClient::Engine::report(const CurlHandle& handle, const Request& request, MonoTime started, bool answered) {
  if (!options_.on_call) return;
  CallInfo info;
  info.code = answered ? handle.code() : 0;
  info.http_version = answered ? handle.http_version() : 0;
  info.method = request.method;
  info.verb = verb_of(request.method, request.path);
  info.path = path_template(request.path);
  info.host = target_.host;
  info.elapsed = clock_.mono() - started;
  executor_.post([self = shared_from_this(), info = std::move(info)] { self->options_.on_call(info); });
}

}  // namespace kruise::client
