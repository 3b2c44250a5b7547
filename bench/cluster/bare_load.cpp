// What a rollout costs the API server alone: each pod gets the manager's writes in the manager's order, a write that follows a
// kubelet's report waits for it, and nothing is planned. It is what the manager's wall time is held against.
//     bare-load KUBECONFIG PODS IN_FLIGHT    prints {"scale":1.25,"update":2.5,"down":0.5}, wall seconds
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/names.hpp"
#include "api/scheme.hpp"
#include "base/executor.hpp"
#include "base/json_writer.hpp"
#include "base/random.hpp"
#include "cache/informer.hpp"
#include "cache/pod_decoder.hpp"
#include "client/request.hpp"
#include "client/rest_client.hpp"

namespace api = kruise::api;
namespace base = kruise::base;
namespace cache = kruise::cache;
namespace client = kruise::client;

namespace {

constexpr std::string_view kOldImage = "nginx:1";
constexpr std::string_view kNewImage = "nginx:2";
constexpr auto kStrategic = client::PatchType::kStrategic;

api::Key key_of(std::size_t index) { return {"default", "bare-" + std::to_string(10'000 + index)}; }

std::string body_of_pod(std::size_t index, std::string_view now) {
  base::JsonWriter w;
  w.begin_object().key("apiVersion").string("v1").key("kind").string("Pod").key("metadata").begin_object();
  w.key("name").string(key_of(index).name).key("labels").begin_object().key("app").string("bare");
  w.key(api::kLabelRevision).string("bare-7d4f8b9c5").key(api::kLabelPodTemplateHash).string("7d4f8b9c5");
  w.key(api::kLabelInstanceId).string(std::to_string(10'000 + index)).key(api::kLabelLifecycleState).string("PreparingNormal");
  w.end_object().key("annotations").begin_object().key(api::kAnnotationLifecycleTimestamp).string(now).end_object().end_object();
  w.key("spec").begin_object().key("readinessGates").begin_array().begin_object();
  w.key("conditionType").string(api::kConditionInPlaceUpdateReady).end_object().end_array().key("containers").begin_array();
  w.begin_object().key("name").string("main").key("image").string(kOldImage).end_object();
  w.begin_object().key("name").string("agent").key("image").string("agent:1").end_object().end_array();
  return std::move(w.end_object().end_object()).text();
}

/// Conditions and lifecycle state in one write, as at the beginning and the end of an update.
std::string body_of_marking(const api::Pod& pod, bool ready, std::string_view state, std::string_view now) {
  base::JsonWriter w;
  w.begin_object().key("metadata").begin_object().key("uid").string(pod.uid());
  w.key("resourceVersion").string(std::to_string(pod.resource_version()));
  w.key("labels").begin_object().key(api::kLabelLifecycleState).string(state).end_object();
  w.key("annotations").begin_object().key(api::kAnnotationLifecycleTimestamp).string(now).end_object().end_object();
  w.key("status").begin_object().key("conditions").begin_array();
  const auto condition = [&](std::string_view type) {
    w.begin_object().key("type").string(type).key("status").string(ready ? "True" : "False");
    w.key("lastTransitionTime").string(now).end_object();
  };
  condition(api::kConditionInPlaceUpdateReady);
  if (!ready) condition(api::kConditionReady);
  return std::move(w.end_array().end_object().end_object()).text();
}

std::string body_of_update(const api::Pod& pod, std::string_view now) {
  base::JsonWriter state;
  state.begin_object().key("revision").string("bare-6c5d8f7b4").key("updateTimestamp").string(now);
  state.key("lastContainerStatuses").begin_object().key("main").begin_object().key("imageID");
  state.string(pod.status("main")->image_id).end_object().end_object().end_object();
  base::JsonWriter w;
  w.begin_object().key("metadata").begin_object().key("uid").string(pod.uid()).key("labels").begin_object();
  w.key(api::kLabelRevision).string("bare-6c5d8f7b4").key(api::kLabelPodTemplateHash).string("6c5d8f7b4").end_object();
  w.key("annotations").begin_object().key(api::kAnnotationInPlaceState).string(state.text()).end_object().end_object();
  w.key("spec").begin_object().key("containers").begin_array();
  w.begin_object().key("name").string("main").key("image").string(kNewImage).end_object().end_array();
  return std::move(w.end_object().end_object()).text();
}

bool holds(const api::Pod& pod, std::string_view condition) {
  const auto found = pod.condition(condition);
  return found && found->status == api::Tristate::kTrue;
}

/// Lives on the loop.
class Load {
 public:
  Load(client::Client& client, std::size_t pods, std::size_t in_flight)
      : client_(client),
        in_flight_max_(in_flight),
        pods_(pods),
        informer_(client, api::kPods, cache::pod_decoder(), base::Random(base::random_seed()), {.scope = {.ns = "default"}}) {
    informer_.store().subscribe([this](const cache::Change<api::Pod>& change) {
      if (change.after && change.after->label("app") == "bare") seen(change.after);
      if (!change.after && change.before->label("app") == "bare") advance(change.before->name(), Step::kGone);
    });
    informer_.start();
  }

  void scale(std::promise<void>& done) {
    begin(done);
    for (std::size_t i = 0; i < pods_.size(); ++i) send(client::create(api::kPods, "default", body_of_pod(i, now())));
  }
  void update(std::promise<void>& done) {
    begin(done);
    for (std::size_t i = 0; i < pods_.size(); ++i) {
      const auto pod = informer_.store().get(key_of(i));
      pods_[i] = Step::kUpdating;
      send(client::patch(api::kPods, key_of(i), kStrategic, body_of_marking(*pod, false, "Updating", now()), kStatus),
           [this, pod, i] { send(client::patch(api::kPods, key_of(i), kStrategic, body_of_update(*pod, now()))); });
    }
  }
  void remove(std::promise<void>& done) {
    begin(done);
    for (std::size_t i = 0; i < pods_.size(); ++i) send(client::remove(api::kPods, key_of(i)));
  }

 private:
  enum class Step : std::uint8_t { kCreated, kMarked, kReady, kUpdating, kUpdated, kReadyAgain, kGone };
  struct Sending {
    client::Request request;
    std::function<void()> then;
  };
  inline static const client::WriteOptions kStatus{.subresource = "status"};

  [[nodiscard]] std::string now() const { return base::format_time(client_.executor().clock().now()); }
  void begin(std::promise<void>& done) {
    done_ = &done;
    left_ = pods_.size();
  }
  void finish_one() {
    if (--left_ == 0) done_->set_value();
  }

  void seen(const std::shared_ptr<const api::Pod>& pod) {
    Step& step = step_of(pod->name());
    const auto key = api::Key{"default", std::string(pod->name())};
    const bool ready = holds(*pod, api::kConditionReady);
    if (step == Step::kCreated && !pod->node().empty()) {
      step = Step::kMarked;
      send(client::patch(api::kPods, key, kStrategic, body_of_marking(*pod, true, "Normal", now()), kStatus));
    } else if (step == Step::kMarked && ready) {
      step = Step::kReady;
      finish_one();
    } else if (step == Step::kUpdating && pod->status("main") && pod->status("main")->image == kNewImage) {
      step = Step::kUpdated;
      send(client::patch(api::kPods, key, kStrategic, body_of_marking(*pod, true, "Normal", now()), kStatus));
    } else if (step == Step::kUpdated && ready) {
      step = Step::kReadyAgain;
      finish_one();
    }
  }
  void advance(std::string_view name, Step to) {
    step_of(name) = to;
    finish_one();
  }
  Step& step_of(std::string_view name) { return pods_.at(std::stoul(std::string(name.substr(5))) - 10'000); }

  void send(client::Request request, std::function<void()> then = {}) {
    waiting_.push_back({std::move(request), std::move(then)});
    pump();
  }
  void pump() {
    while (in_flight_ < in_flight_max_ && !waiting_.empty()) {
      Sending next = std::move(waiting_.front());
      waiting_.pop_front();
      ++in_flight_;
      client_.send(next.request, [this, next](const client::Outcome& outcome) { answered(next, outcome); });
    }
  }
  void answered(const Sending& sent, const client::Outcome& outcome) {
    --in_flight_;
    const auto refused = [&] { return outcome.error().code == 409 && sent.request.path.ends_with("/status"); };
    if (outcome) {
      if (sent.then) sent.then();
    } else if (refused()) {
      // The kubelet or the scheduler was faster: with the pod as it is now, as the manager's next plan does.
      mark_again(sent);
    } else {
      std::cerr << "bare-load: " << sent.request.path << ": " << outcome.error().text() << "\n";
      std::_Exit(1);
    }
    pump();
  }
  void mark_again(const Sending& sent) {
    const std::string& path = sent.request.path;
    const auto begin = path.find("/pods/") + 6;
    const std::string name = path.substr(begin, path.rfind('/') - begin);
    const auto pod = informer_.store().get({"default", name});
    const bool ready = step_of(name) != Step::kUpdating;
    auto body = body_of_marking(*pod, ready, ready ? "Normal" : "Updating", now());
    send(client::patch(api::kPods, {"default", name}, kStrategic, std::move(body), kStatus), sent.then);
  }

  client::Client& client_;
  std::size_t in_flight_max_;
  std::size_t in_flight_ = 0;
  std::deque<Sending> waiting_;
  std::vector<Step> pods_;
  std::size_t left_ = 0;
  std::promise<void>* done_ = nullptr;
  cache::Informer<api::Pod> informer_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: bare-load KUBECONFIG PODS IN_FLIGHT\n";
    return 2;
  }
  client::ConfigSource source;
  source.kubeconfig = argv[1];
  const auto config = client::load_config(source);
  if (!config) {
    std::cerr << config.error().message << "\n";
    return 1;
  }
  base::Loop loop("load");
  client::RestClient client(*config, loop, {.user_agent = "bare-load"});
  std::unique_ptr<Load> load;
  loop.run_and_wait([&] { load = std::make_unique<Load>(client, std::stoul(argv[2]), std::stoul(argv[3])); });
  const auto seconds = [&](void (Load::*phase)(std::promise<void>&)) {
    std::promise<void> done;
    const auto begin = loop.clock().mono();
    loop.run_and_wait([&] { (*load.*phase)(done); });
    done.get_future().wait();
    return std::chrono::duration<double>(loop.clock().mono() - begin).count();
  };
  const double scale = seconds(&Load::scale);
  const double update = seconds(&Load::update);
  const double down = seconds(&Load::remove);
  std::printf("{\"scale\":%.2f,\"update\":%.2f,\"down\":%.2f}\n", scale, update, down);
  loop.run_and_wait([&] { load.reset(); });
  return 0;
}
