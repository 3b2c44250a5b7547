#include "client/watches.hpp"

#include <algorithm>
#include <vector>

namespace kruise::client {
namespace {

using base::Duration;
using base::MonoTime;

constexpr std::size_t kRefusalBytesMax = 1U << 20U;
constexpr Duration kAwake = std::chrono::seconds(1);

}  // namespace

Watches::Watches(const Target& target, std::string user_agent, Credentials& credentials, Report report, Duration rest)
    : target_(target), user_agent_(std::move(user_agent)), credentials_(credentials), report_(std::move(report)), rest_(rest) {}

void Watches::add(std::shared_ptr<WatchChannel> channel, Request request, MonoTime answer_deadline) {
  auto exchange = std::make_unique<Exchange>(*this);
  exchange->channel = std::move(channel);
  exchange->request = std::move(request);
  exchange->answer_deadline = answer_deadline;
  const WatchChannel* key = exchange->channel.get();
  exchanges_.emplace(key, std::move(exchange));
}

void Watches::remove(const WatchChannel* channel) {
  const auto found = exchanges_.find(channel);
  if (found == exchanges_.end()) return;
  take_off(*found->second);
  exchanges_.erase(found);
}

void Watches::resume(const WatchChannel* channel) {
  const auto found = exchanges_.find(channel);
  if (found != exchanges_.end() && found->second->in_flight) curl_easy_pause(found->second->handle.get(), CURLPAUSE_CONT);
}

bool Watches::waiting() const {
  return std::ranges::any_of(exchanges_, [](const auto& entry) { return !entry.second->in_flight; });
}

void Watches::start_waiting(const Credentials::State& state, MonoTime now) {
  std::vector<Exchange*> due;
  for (auto& [key, exchange] : exchanges_) {
    if (!exchange->in_flight) due.push_back(exchange.get());
  }
  for (Exchange* exchange : due) {
    if (state.kind == Credentials::State::Kind::kFailed) {
      end(*exchange, own_error("Credentials", state.error));
    } else {
      start(*exchange, state.current, now);
    }
  }
}

void Watches::run(MonoTime now) {
  end_late(now);
  got_events_ = false;
  multi_.run_timer(now);
  if (!resting(now)) {
    multi_.run_connections();
    if (got_events_ && now >= awake_until_) resting_until_ = now + rest_;
  }
  collect_finished();
}

void Watches::stay_awake(MonoTime now) {
  resting_until_ = now;
  awake_until_ = now + kAwake;
}

std::optional<curl_waitfd> Watches::wait_on(MonoTime now) const {
  if (resting(now)) return std::nullopt;
  return multi_.wait_on();
}

void Watches::end_all(const ApiError& error) {
  for (auto& [key, exchange] : exchanges_) {
    take_off(*exchange);
    exchange->channel->finish(error);
  }
  exchanges_.clear();
}

Duration Watches::until_due(MonoTime now) const {
  Duration wait = multi_.until_timer(now);
  if (resting(now)) wait = std::min(wait, resting_until_ - now);
  for (const auto& [key, exchange] : exchanges_) {
    if (exchange->handle.code() == 0) wait = std::min(wait, exchange->answer_deadline - now);
  }
  return wait;
}

void Watches::start(Exchange& exchange, const Credentials::Current& credentials, MonoTime now) {
  stay_awake(now);
  exchange.credentials = credentials;
  exchange.started = now;
  exchange.refusal.clear();
  const std::string& agent = exchange.request.user_agent.empty() ? user_agent_ : exchange.request.user_agent;
  exchange.handle.prepare(target_, credentials, exchange.request, agent, {take_events, nullptr, nullptr}, &exchange);
  exchange.handle.own_connection();
  exchange.in_flight = true;
  of_handle_.emplace(exchange.handle.get(), &exchange);
  curl_multi_add_handle(multi_.get(), exchange.handle.get());
}

void Watches::end_late(MonoTime now) {
  std::vector<Exchange*> late;
  for (auto& [key, exchange] : exchanges_) {
    if (exchange->answer_deadline <= now && exchange->handle.code() == 0) late.push_back(exchange.get());
  }
  for (Exchange* exchange : late) {
    take_off(*exchange);
    end(*exchange, own_error("Timeout", "API server " + target_.who + " did not answer the watch in time"));
  }
}

void Watches::collect_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Exchange& exchange = *of_handle_.at(message->easy_handle);
    take_off(exchange);
    finished(exchange, code);
  }
}

void Watches::finished(Exchange& exchange, CURLcode code) {
  const int status = exchange.handle.header_complete() ? exchange.handle.code() : 0;
  if (code == CURLE_OK && status == 0) code = CURLE_GOT_NOTHING;
  report_(exchange.handle, exchange.request, exchange.started, status != 0);
  if (status == 401 && !exchange.renewed && credentials_.refused(exchange.credentials)) {
    exchange.renewed = true;  // waits again
    return;
  }
  if (status != 0 && status != 200) {
    end(exchange, error_from_status(status, exchange.refusal, exchange.handle.retry_after()));
  } else if (code != CURLE_OK) {
    credentials_.doubt();
    end(exchange, transport_error(code, exchange.handle, target_.who));
  } else {
    end(exchange, std::nullopt);
  }
}

void Watches::end(Exchange& exchange, std::optional<ApiError> error) {
  exchange.channel->finish(std::move(error));
  exchanges_.erase(exchange.channel.get());  // ends `exchange`
}

void Watches::take_off(Exchange& exchange) {
  if (!exchange.in_flight) return;
  curl_multi_remove_handle(multi_.get(), exchange.handle.get());
  of_handle_.erase(exchange.handle.get());
  exchange.in_flight = false;
}

std::size_t Watches::take_events(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::string_view bytes(data, size * count);
  if (exchange.handle.code() == 200) {
    exchange.watches.got_events_ = true;
    return exchange.channel->append(bytes) ? bytes.size() : CURL_WRITEFUNC_PAUSE;
  }
  if (exchange.refusal.size() + bytes.size() > kRefusalBytesMax) return 0;
  exchange.refusal.append(bytes);
  return bytes.size();
}

}  // namespace kruise::client
