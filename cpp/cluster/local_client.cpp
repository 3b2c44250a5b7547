#include "cluster/local_client.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/json_text.hpp"
#include "cluster/query.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr base::Duration kRetryAfter = std::chrono::seconds(1);
/// Lines handed over in one task; more come in the next, so that other tasks are not kept waiting.
constexpr int kLinesPerTask = 64;

client::ApiError unreachable(bool unknown) {
  return {.code = 0,
          .reason = "Unreachable",
          .message = unknown ? "the connection broke before an answer came" : "the connection was refused",
          .causes = {},
          .retry_after = {},
          .outcome_unknown = unknown};
}

client::ApiError injected(int code) {
  client::ApiError error = client::error_from_status(code, "");
  error.message = "injected fault";
  if (code == 429) error.retry_after = kRetryAfter;
  return error;
}

/// What is injected now into the events of all watches of a client, those already open too; null: nothing.
using Plan = std::shared_ptr<FaultPlan>;

}  // namespace

struct LocalClient::Impl : std::enable_shared_from_this<LocalClient::Impl> {
  Impl(ApiServer& s, ApiServer& v, base::Executor& e) : server(s), view(v), executor(e) {}

  /// One attempt; a 429 that names a time is tried again while the request's own time lasts.
  void attempt(std::shared_ptr<client::Request> request, client::Done done, base::MonoTime give_up) {
    if (on_attempt) on_attempt(*request);
    const Fault fault = faults ? faults(*request) : Fault{};
    if (fault.delay > base::Duration{0}) {
      later(fault.delay,
            [request, done = std::move(done), give_up, fault](Impl& self) { self.carry_out(request, done, give_up, fault); });
    } else {
      carry_out(request, std::move(done), give_up, fault);
    }
  }

  void carry_out(const std::shared_ptr<client::Request>& request, client::Done done, base::MonoTime give_up, const Fault& fault) {
    if (fault.kind == Fault::Kind::kRefuse) return finish(std::move(done), unreachable(false));
    if (fault.kind == Fault::Kind::kAnswer) {
      const client::ApiError error = injected(fault.code);
      if (error.retry_after && executor.clock().mono() + *error.retry_after < give_up) {
        return later(*error.retry_after,
                     [request, done = std::move(done), give_up](Impl& self) { self.attempt(request, done, give_up); });
      }
      return finish(std::move(done), error);
    }
    client::Response response = (lists_in_view(*request) ? view : server).handle(*request);
    if (fault.kind == Fault::Kind::kBreakAfterWrite) {
      return later(std::min(fault.silence, request->timeout.value_or(kAnswerTimeout)),
                   [done = std::move(done)](Impl& self) { self.finish(done, unreachable(true)); });
    }
    if (response.code >= 400) return finish(std::move(done), client::error_from_status(response.code, response.body));
    finish(std::move(done), std::move(response));
  }

  /// A list by the view; one that does not say "any version will do" waits until the view has caught up, as on a real server.
  bool lists_in_view(const client::Request& request) {
    if (&view == &server || request.method != "GET") return false;
    const RequestInfo info(request);
    if (!info.name.empty()) return false;
    if (info.query.get("resourceVersion") != "0") view.catch_up();
    return true;
  }

  /// The answer travels back as a task of its own.
  void finish(client::Done done, client::Outcome outcome) {
    later(base::Duration{0}, [done = std::move(done), outcome = std::make_shared<client::Outcome>(std::move(outcome))](Impl&) {
      done(std::move(*outcome));
    });
  }

  template <class Step>
  void later(base::Duration delay, Step step) {
    auto task = [weak = weak_from_this(), step = std::move(step)] {
      if (const auto self = weak.lock()) step(*self);
    };
    if (delay > base::Duration{0}) {
      executor.post_after(delay, std::move(task));
    } else {
      executor.post(std::move(task));
    }
  }

  ApiServer& server;
  ApiServer& view;
  base::Executor& executor;
  std::function<Fault(const client::Request&)> faults;
  std::shared_ptr<Plan> plan = std::make_shared<Plan>();
  std::function<void(const client::Request&)> on_attempt;
};

namespace {

/// A watch in process: woken by storage, it pulls lines in tasks on the executor.
class LocalWatch final : public client::Watch {
 public:
  LocalWatch(ApiServer& server, base::Executor& executor, client::Request request, client::WatchHandler& handler,
             std::shared_ptr<const Plan> plan)
      : state_(std::make_shared<State>(server, executor, std::move(request), handler, std::move(plan))) {}
  ~LocalWatch() override { state_->stop(); }

  void open(const Fault& fault) { state_->open(fault); }

 private:
  struct State : std::enable_shared_from_this<State> {
    State(ApiServer& s, base::Executor& e, client::Request r, client::WatchHandler& h, std::shared_ptr<const Plan> p)
        : server(s), executor(e), request(std::move(r)), handler(&h), plan(std::move(p)), initial(request) {}

    void open(const Fault& fault) {
      later(fault.delay, [fault](State& self) {
        if (fault.kind == Fault::Kind::kRefuse || fault.kind == Fault::Kind::kBreakAfterWrite)
          return self.end(unreachable(false));
        if (fault.kind == Fault::Kind::kAnswer) return self.end(injected(fault.code));
        if (RequestInfo(self.request).query.get("resourceVersion").empty()) self.server.catch_up();
        auto opened = self.server.watch(self.request);
        if (!opened) return self.end(client::error_from_status(opened.error().code, opened.error().body));
        self.stream = std::move(*opened);
        self.stream->on_ready([weak = self.weak_from_this()] {
          if (const auto me = weak.lock()) me->wake();
        });
        self.pull();
      });
    }

    /// From any thread; one task at a time is on its way.
    void wake() {
      if (waiting.exchange(true)) return;
      later(base::Duration{0}, [](State& self) {
        self.waiting = false;
        self.pull();
      });
    }

    void pull() {
      for (int i = 0; i < kLinesPerTask; ++i) {
        if (handler == nullptr || !stream || delayed) return;
        auto line = stream->next().value_or(nullptr);
        if (!line) {
          if (stream->ended()) {
            deliver_held();
            return end(std::nullopt);
          }
          return sleep();
        }
        const bool is_initial = initial.has(*line);
        if (!held.empty()) {
          hold(line);
          continue;
        }
        if (*plan && !passes(line, is_initial)) continue;
        handler->on_event(*line);
      }
      wake();
    }

    /// Whether the line may be delivered now; otherwise a fault took its place, or comes before it.
    bool passes(const std::shared_ptr<const std::string>& line, bool is_initial) {
      const WatchFault fault = (*plan)->on_event(request);
      switch (fault.kind) {
        case WatchFault::Kind::kNone:
          return true;
        case WatchFault::Kind::kBreak:
          end(unreachable(false));
          return false;
        case WatchFault::Kind::kExpire:
          if (fault.delay <= base::Duration{0}) {
            fail(410);
          } else {
            delayed = true;
            later(fault.delay, [](State& self) { self.fail(410); });
          }
          return false;
        case WatchFault::Kind::kError:
          fail(500);
          return false;
        case WatchFault::Kind::kLose:
          if (is_initial) return true;
          later(fault.delay, [](State& self) { self.fail(410); });
          return false;
        case WatchFault::Kind::kMerge:
        case WatchFault::Kind::kDelay:
          break;
      }
      held.push_back(line);
      delayed = fault.kind == WatchFault::Kind::kDelay;
      later(std::max(fault.delay, base::Duration{1}), [first = line.get()](State& self) {
        if (self.held.empty() || self.held.front().get() != first) return;
        self.deliver_held();
        self.pull();
      });
      return false;
    }

    /// A line behind one that waits for its successor: is this it, the one that waits is never seen.
    void hold(const std::shared_ptr<const std::string>& line) {
      held.push_back(line);
      if (object_of(*line) != object_of(*held.front())) return;
      held.pop_front();
      deliver_held();
    }

    void deliver_held() {
      delayed = false;
      for (const auto& line : std::exchange(held, {})) {
        if (handler != nullptr) handler->on_event(*line);
      }
    }

    /// "namespace/name" of the object that a line is about; empty for a bookmark.
    static std::string object_of(const std::string& line) {
      const auto event = parse_json(line);
      if (!event || text_of(*event, "type") == "BOOKMARK") return {};
      const Json* meta = member(event->at("object"), "metadata");
      return meta == nullptr ? std::string()
                             : std::string(text_of(*meta, "namespace")).append("/").append(text_of(*meta, "name"));
    }

    /// An ERROR line, then the end, as a server does it.
    void fail(int code) {
      handler->on_event(error_line(code));
      end(std::nullopt);
    }

    /// Comes back when a bookmark or the end is due.
    void sleep() {
      const base::MonoTime due = stream->due();
      if (timer != 0 && timer_due == due) return;
      if (timer != 0) executor.cancel(timer);
      timer_due = due;
      const base::Duration wait = due - executor.clock().mono();
      timer = executor.post_after(std::max(wait, base::Duration{1}), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
          self->timer = 0;
          self->pull();
        }
      });
    }

    void end(std::optional<client::ApiError> error) {
      if (handler == nullptr) return;
      client::WatchHandler* told = std::exchange(handler, nullptr);
      close();
      told->on_end(std::move(error));
    }

    void stop() {
      handler = nullptr;
      close();
    }

    void close() {
      if (timer != 0) executor.cancel(timer);
      timer = 0;
      if (stream) stream->on_ready({});
      stream.reset();
    }

    template <class Step>
    void later(base::Duration delay, Step step) {
      auto task = [weak = weak_from_this(), step = std::move(step)] {
        if (const auto self = weak.lock(); self && self->handler != nullptr) step(*self);
      };
      if (delay > base::Duration{0}) {
        executor.post_after(delay, std::move(task));
      } else {
        executor.post(std::move(task));
      }
    }

    ApiServer& server;
    base::Executor& executor;
    client::Request request;
    client::WatchHandler* handler;  // null once ended
    std::shared_ptr<const Plan> plan;
    InitialEvents initial;
    std::deque<std::shared_ptr<const std::string>> held;  // late lines
    bool delayed = false;                                 // nothing is read meanwhile
    std::unique_ptr<ApiServer::Stream> stream;
    base::TimerId timer = 0;
    base::MonoTime timer_due{};
    std::atomic<bool> waiting = false;
  };

  std::shared_ptr<State> state_;
};

}  // namespace

LocalClient::LocalClient(ApiServer& server, base::Executor& executor) : LocalClient(server, server, executor) {}
LocalClient::LocalClient(ApiServer& head, ApiServer& view, base::Executor& executor)
    : impl_(std::make_shared<Impl>(head, view, executor)) {}
LocalClient::~LocalClient() = default;

void LocalClient::send(client::Request request, client::Done done) {
  const base::MonoTime give_up = impl_->executor.clock().mono() + request.timeout.value_or(kAnswerTimeout);
  impl_->later(base::Duration{0}, [request = std::make_shared<client::Request>(std::move(request)), done = std::move(done),
                                   give_up](Impl& self) { self.attempt(request, done, give_up); });
}

std::unique_ptr<client::Watch> LocalClient::watch(client::Request request, client::WatchHandler& handler) {
  if (impl_->on_attempt) impl_->on_attempt(request);
  const Fault fault = impl_->faults ? impl_->faults(request) : Fault{};
  auto watch = std::make_unique<LocalWatch>(impl_->view, impl_->executor, std::move(request), handler, impl_->plan);
  watch->open(fault);
  return watch;
}

base::Executor& LocalClient::executor() { return impl_->executor; }
void LocalClient::on_attempt(std::function<void(const client::Request&)> told) { impl_->on_attempt = std::move(told); }
void LocalClient::inject(std::function<Fault(const client::Request&)> faults) { impl_->faults = std::move(faults); }

void LocalClient::inject(std::shared_ptr<FaultPlan> plan) {
  impl_->faults = plan ? [plan](const client::Request& request) { return plan->on_request(request); }
                       : std::function<Fault(const client::Request&)>{};
  *impl_->plan = std::move(plan);
}

}  // namespace kruise::cluster
