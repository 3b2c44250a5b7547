// cluster_start_ms and sim_rollout_10k_s: the embedded cluster's start, and a rollout of 10,000 pods on it in virtual time.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "client/request.hpp"
#include "harness.hpp"
#include "rollout_judge.hpp"
#include "session/controllers.hpp"
#include "session/embedded.hpp"

namespace kruise::bench {
namespace {

constexpr int kPods = 10'000;
const base::Time kStart{std::chrono::seconds(1'700'000'000)};

client::Response ask(cluster::ApiServer& api, client::Request request) {
  request.user_agent = "user";
  client::Response answer = api.handle(request);
  if (answer.code >= 400) throw std::runtime_error(answer.body);
  return answer;
}

/// A member of the set's status; `,"name":7` is found nowhere else in the text.
std::int64_t figure(const std::string& text, const std::string& name) {
  const auto at = text.rfind("\"" + name + "\":");
  return at == std::string::npos ? 0 : std::strtoll(text.c_str() + at + name.size() + 3, nullptr, 10);
}

std::string get_set(cluster::ApiServer& api) { return ask(api, client::get(api::kCloneSets, {"default", "web"})).body; }

bool rolled_out(cluster::ApiServer& api) {
  const std::string set = get_set(api);
  if (figure(set, "observedGeneration") != figure(set.substr(0, set.find("\"status\":{")), "generation")) return false;
  for (const char* name : {"replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "updatedReadyReplicas"}) {
    if (figure(set, name) != kPods) return false;
  }
  return true;
}

double cluster_start_ms() {
  const auto crds = crd_texts();
  std::unique_ptr<session::Embedded> cluster;  // its end is not measured
  return milliseconds([&] {
    session::Embedded::Options options;
    options.crds = crds;
    cluster = std::make_unique<session::Embedded>(options);
    static_cast<void>(ask(*cluster->api(), client::list(api::kCloneSets, "default")));
  });
}

double sim_rollout_10k_s() {
  session::Embedded::Options options;
  options.virtual_time = true;
  options.start = kStart;
  options.seed = 1;
  options.nodes.count = 200;
  options.crds = crd_texts();
  session::Embedded cluster(options);
  cluster::ApiServer& api = *cluster.api();
  RolloutJudge judge;
  api.observe_writes([&](const cluster::StorageEvent& event) { judge.on_write(event); });
  const auto client = cluster.make_client();
  session::Controllers controllers(*client, {});
  controllers.start();
  static_cast<void>(ask(api, client::create(api::kCloneSets, "default", clone_set_json("web", kPods))));
  const auto roll = [&](const char* what) {
    if (!cluster.run_until([&] { return rolled_out(api); }, std::chrono::hours(1)))
      throw std::runtime_error(std::string("the set is not ") + what + " after an hour: " + get_set(api));
  };
  const double creation_ms = milliseconds([&] { roll("created"); });
  cluster.run_for(std::chrono::seconds(10), [] {});
  judge.begin_passes();
  const auto writes_before = judge.writes();
  const base::MonoTime began = cluster.executor().clock().mono();
  const double ms = milliseconds([&] {
    static_cast<void>(
        ask(api, client::patch(api::kCloneSets, {"default", "web"}, client::PatchType::kJson,
                               R"([{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"nginx:2"}])")));
    roll("rolled out");
  });
  const auto virtual_s = std::chrono::duration<double>(cluster.executor().clock().mono() - began).count();
  std::cerr << "creation " << creation_ms / 1e3 << " s; rollout " << ms / 1e3 << " s of wall time, " << virtual_s
            << " s of virtual time, " << judge.judged() << " writes judged\n";
  for (const auto& [who, count] : judge.writes()) {
    const auto before = writes_before.find(who);
    const auto made = count - (before == writes_before.end() ? 0 : before->second);
    if (made > 0) std::cerr << "  " << made << " writes by " << who << "\n";
  }
  if (!judge.violations().empty()) throw std::runtime_error("an invariant broke: " + judge.violations().front());
  if (judge.passed() != kPods)
    throw std::runtime_error(std::to_string(judge.passed()) + " pods passed through NotReady, a new image ID and Ready");
  return ms / 1e3;
}

}  // namespace

std::vector<std::string> crd_texts() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(KRUISE_SOURCE_DIR "/charts/kruise/crds")) paths.push_back(entry);
  std::ranges::sort(paths);
  std::vector<std::string> texts;
  for (const auto& path : paths) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    texts.push_back(text.str());
  }
  return texts;
}

std::string clone_set_json(const std::string& name, int replicas) {
  return R"({"apiVersion":"apps.kruise.io/v1alpha1","kind":"CloneSet","metadata":{"name":")" + name +
         R"("},"spec":{"replicas":)" + std::to_string(replicas) +
         R"(,"selector":{"matchLabels":{"app":"web"}},"updateStrategy":{"type":"InPlaceIfPossible"},
         "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[
           {"name":"main","image":"nginx:1","ports":[{"containerPort":80}],"env":[{"name":"A","value":"b"}],
            "resources":{"requests":{"cpu":"500m","memory":"1Gi"}}},
           {"name":"agent","image":"agent:1"}]}}}})";
}

std::vector<Figure> rollout_figures() {
  return {{"cluster_start_ms", "ms", cluster_start_ms}, {"sim_rollout_10k_s", "s", sim_rollout_10k_s}};
}

}  // namespace kruise::bench
