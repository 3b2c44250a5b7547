#include "runtime/act.hpp"

#include <algorithm>
#include <utility>

#include "base/json_writer.hpp"
#include "base/log.hpp"
#include "client/request.hpp"
#include "runtime/answer.hpp"

namespace kruise::runtime {
namespace {

/// `"uid":"…","resourceVersion":"…"`
std::string members(std::string_view uid, std::string_view version) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (!text.empty()) text += ',';
    base::append_json_string(text, name);
    text += ':';
    base::append_json_string(text, value);
  };
  add("uid", uid);
  add("resourceVersion", version);
  return text;
}

std::string with_metadata(const std::string& body, std::string_view uid, std::string_view version) {
  std::string inserted = members(uid, version);
  if (inserted.empty()) return body;
  constexpr std::string_view kOpening = R"({"metadata":{)";
  std::size_t at = kOpening.size();
  if (!body.starts_with(kOpening)) {
    inserted = R"("metadata":{)" + inserted + '}';
    at = 1;
  }
  if (at < body.size() && body[at] != '}') inserted += ',';
  return body.substr(0, at) + inserted + body.substr(at);
}

std::string with_tests(const std::string& body, std::string_view uid, std::string_view version) {
  std::string tests;
  const auto add = [&](std::string_view path, std::string_view value) {
    if (value.empty()) return;
    if (!tests.empty()) tests += ',';
    tests += R"({"op":"test","path":)";
    base::append_json_string(tests, path);
    tests += R"(,"value":)";
    base::append_json_string(tests, value);
    tests += '}';
  };
  add("/metadata/uid", uid);
  add("/metadata/resourceVersion", version);
  if (tests.empty()) return body;
  if (body.size() > 2) tests += ',';
  return '[' + tests + body.substr(1);
}

/// The object is no longer what the plan has seen: another version, gone, or another value where a JSON patch tests one.
bool is_stale(const Write& write, const client::ApiError& error) {
  if (error.conflict()) return true;
  if (write.verb == Write::Verb::kCreate) return false;
  return error.not_found() ||
         (error.invalid() && write.verb == Write::Verb::kPatch && write.patch_type == client::PatchType::kJson);
}

class Run final : public Acting {
 public:
  Run(Plan plan, ActOptions options, std::function<void(ActResult)> done)
      : plan_(std::move(plan)), options_(std::move(options)), done_(std::move(done)) {
    options_.client->executor().post(life_.bind([this] {
      for (const Event& event : plan_.events) emit(event);
      begin_step();
    }));
  }

 private:
  enum class Stage : std::uint8_t { kSteps, kStatus, kCleanup, kDone };
  struct ChainState {
    std::size_t next = 0;  // write
    std::string version;   // answered by the write before
  };

  void begin_step() {
    while (step_ < plan_.steps.size() && plan_.steps[step_].chains.empty()) ++step_;
    if (failed_ || result_.error || step_ == plan_.steps.size()) {
      begin_status();
      return;
    }
    window_ = 1;
    next_chain_ = 0;
    chains_.assign(plan_.steps[step_].chains.size(), {});
    resumable_.clear();
    pump();
  }

  /// Chains under way go before new ones, so that as few as possible are half done when something fails.
  void pump() {
    while (!failed_ && in_flight_ < window_) {
      if (!resumable_.empty()) {
        const std::size_t chain = resumable_.back();
        resumable_.pop_back();
        start(chain);
      } else if (next_chain_ < chains_.size()) {
        start(next_chain_++);
      } else {
        break;
      }
    }
    if (in_flight_ > 0) return;
    ++step_;
    begin_step();
  }

  void start(std::size_t chain) {
    const Chain& writes = plan_.steps[step_].chains[chain];
    if (chains_[chain].next == writes.size()) return;
    const Write& write = writes[chains_[chain].next];
    if (!may_write()) return;
    ++in_flight_;
    send(write, chains_[chain].version, [this, chain, &write](const client::Outcome& outcome) {
      --in_flight_;
      if (settle(write, outcome, chains_[chain].version)) {
        ++result_.succeeded;
        window_ = std::min(window_ + 1, options_.window_max);
        if (++chains_[chain].next < plan_.steps[step_].chains[chain].size()) resumable_.push_back(chain);
      } else {
        fail(write, outcome.error());
      }
      pump();
    });
  }

  void begin_status() {
    if (result_.error && !result_.stale && plan_.status_after_error) plan_.status = plan_.status_after_error(*result_.error);
    if (!plan_.status || !may_write()) {
      begin_cleanup();
      return;
    }
    send(*plan_.status, {}, [this](const client::Outcome& outcome) {
      std::string version;
      if (!settle(*plan_.status, outcome, version)) fail(*plan_.status, outcome.error());
      begin_cleanup();
    });
  }

  void begin_cleanup() {
    if (cleanup_ == plan_.cleanup.size() || !may_write()) {
      auto done = std::move(done_);
      auto result = std::move(result_);
      done(std::move(result));  // `this` may be gone now
      return;
    }
    const Write& write = plan_.cleanup[cleanup_++];
    send(write, {}, [this, &write](const client::Outcome& outcome) {
      std::string version;
      if (!settle(write, outcome, version)) {
        base::log::debug(2, "cleanup failed", {{"object", write.key}, {"error", outcome.error().text()}});
      }
      begin_cleanup();
    });
  }

  void send(const Write& write, std::string_view previous_version, std::function<void(const client::Outcome&)> on_answer) {
    ++result_.writes;
    options_.client->send(request_of(write, previous_version, options_.user_agent),
                          life_.bind([on_answer = std::move(on_answer)](const client::Outcome& outcome) { on_answer(outcome); }));
  }

  /// Remembers the write and tells its events; whether it succeeded.
  bool settle(const Write& write, const client::Outcome& outcome, std::string& version) {
    if (outcome) {
      const AnswerMeta answer = read_answer(outcome->body);
      version = answer.resource_version;
      remember(write, answer);
    } else if (outcome.error().outcome_unknown) {
      record({*write.resource, write.key, OwnWrite::Expect::kUnknown});
    }
    const bool ok = outcome.ok() || (write.not_found_is_success && outcome.error().not_found());
    if (ok && write.on_success) emit(*write.on_success);
    if (!ok && write.on_failure && !is_stale(write, outcome.error())) {
      Event event = *write.on_failure;
      event.message += ": " + outcome.error().text();
      emit(event);
    }
    return ok;
  }

  void remember(const Write& write, const AnswerMeta& answer) {
    OwnWrite own{*write.resource, write.key, OwnWrite::Expect::kVersion};
    if (write.verb == Write::Verb::kDelete) {
      own.expect = OwnWrite::Expect::kAbsence;
      own.uid = !write.uid.empty() ? write.uid : answer.uid;
    } else if (const auto number = version_number(answer.resource_version)) {
      own.version = *number;
      own.created = write.verb == Write::Verb::kCreate;
    } else {
      own.expect = OwnWrite::Expect::kUnknown;
    }
    record(std::move(own));
  }

  void record(OwnWrite write) {
    if (options_.own_writes != nullptr) options_.own_writes->record(options_.owner, std::move(write));
  }

  /// A stale answer ends its chain; anything else ends the plan, and is not hidden by a stale one before it.
  void fail(const Write& write, const client::ApiError& error) {
    const bool stale = is_stale(write, error);
    if (!result_.error || (result_.stale && !stale)) {
      result_.error = error;
      result_.stale = stale;
    }
    failed_ = failed_ || !stale;
  }

  bool may_write() {
    if (!options_.may_write || options_.may_write()) return true;
    failed_ = true;
    result_.refused = true;
    if (!result_.error || result_.stale)
      result_.error = client::ApiError{.code = 0, .reason = "NotLeader", .message = "this process may not write now"};
    result_.stale = false;
    return false;
  }

  void emit(const Event& event) {
    if (options_.emit) options_.emit(event);
  }

  Plan plan_;
  ActOptions options_;
  std::function<void(ActResult)> done_;
  ActResult result_;
  bool failed_ = false;
  std::size_t step_ = 0;
  std::vector<ChainState> chains_;  // of the step
  std::vector<std::size_t> resumable_;
  std::size_t next_chain_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t window_ = 1;
  std::size_t cleanup_ = 0;
  base::Lifetime life_;
};

}  // namespace

client::Request request_of(const Write& write, std::string_view previous_version, const std::string& user_agent) {
  const std::string_view version =
      write.version_of_previous && !previous_version.empty() ? previous_version : write.resource_version;
  client::Request request;
  switch (write.verb) {
    case Write::Verb::kCreate:
      request = client::create(*write.resource, write.key.ns, write.body, {.subresource = write.subresource});
      break;
    case Write::Verb::kPatch: {
      const bool is_json_patch = write.patch_type == client::PatchType::kJson;
      std::string body =
          is_json_patch ? with_tests(write.body, write.uid, version) : with_metadata(write.body, write.uid, version);
      request = client::patch(*write.resource, write.key, write.patch_type, std::move(body), {.subresource = write.subresource});
      break;
    }
    case Write::Verb::kDelete:
      request = client::remove(*write.resource, write.key, {.uid = write.uid, .resource_version = std::string(version)});
      break;
  }
  request.user_agent = user_agent;
  return request;
}

std::unique_ptr<Acting> act(Plan plan, ActOptions options, std::function<void(ActResult)> done) {
  return std::make_unique<Run>(std::move(plan), std::move(options), std::move(done));
}

}  // namespace kruise::runtime
