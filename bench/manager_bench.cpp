// manager_idle_mib and first_reconcile_ms: the release build's kruise-manager against the embedded cluster over HTTP.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "base/host.hpp"
#include "base/process.hpp"
#include "base/thread.hpp"
#include "client/request.hpp"
#include "harness.hpp"
#include "session/embedded.hpp"

namespace kruise::bench {
namespace {

constexpr base::Duration kPatience = std::chrono::seconds(20);
/// From the first status to the look at the memory: two renewals of the lease, the pods of the set and their events.
constexpr base::Duration kSettle = std::chrono::seconds(8);

/// A cluster on a port that holds one CloneSet, and how long after `begin` its status first told of a reconcile.
class Ground {
 public:
  Ground() : folder_(std::filesystem::temp_directory_path() / ("kruise-bench-" + base::random_uuid())) {
    session::Embedded::Options options;
    options.crds = crd_texts();
    cluster_ = std::make_unique<session::Embedded>(options);
    client::Request create = client::create(api::kCloneSets, "default", clone_set_json("web", 1));
    create.user_agent = "user";
    const client::Response answer = cluster_->api()->handle(create);
    if (answer.code >= 400) throw std::runtime_error(answer.body);
    cluster_->api()->observe_writes([this](const cluster::StorageEvent& event) {
      if (event.user_agent.starts_with("kruise-manager") && event.plural == "clonesets" && !reconciled_.exchange(true)) {
        first_reconcile_ = clock_.mono();
        signal_.set();
      }
    });
    const int port = cluster_->serve("127.0.0.1", 0);
    std::filesystem::create_directory(folder_);
    std::ofstream(kubeconfig()) << "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: "
                                   "\"http://127.0.0.1:"
                                << port << "\"}}]\nusers: [{name: u, user: {}}]\n"
                                << "contexts: [{name: c, context: {cluster: c, user: u}}]\n";
  }
  ~Ground() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;

  [[nodiscard]] std::string kubeconfig() const { return (folder_ / "kubeconfig").string(); }
  [[nodiscard]] base::MonoTime now() const { return clock_.mono(); }
  [[nodiscard]] bool wait_reconciled() { return signal_.wait_for(kPatience); }
  [[nodiscard]] base::MonoTime first_reconcile() const { return first_reconcile_; }

 private:
  base::SystemClock clock_;
  base::Signal signal_;
  std::atomic<bool> reconciled_ = false;
  base::MonoTime first_reconcile_{};
  std::filesystem::path folder_;
  std::unique_ptr<session::Embedded> cluster_;
};

/// kruise-manager with leader election, ended with this object.
class ManagerProcess {
 public:
  explicit ManagerProcess(const std::string& kubeconfig) {
    base::Command command;
    command.argv = {(std::filesystem::read_symlink("/proc/self/exe").parent_path() / "kruise-manager").string(),
                    "--kubeconfig=" + kubeconfig,
                    "--enable-leader-election=true",
                    "--leader-election-namespace=default",
                    "--metrics-addr=127.0.0.1:0",
                    "--health-probe-addr=127.0.0.1:0",
                    "--pprof-addr=127.0.0.1:0"};
    command.limit = std::chrono::minutes(1);
    thread_ = std::make_unique<base::Thread>("manager", [this, command](std::stop_token stop) mutable {
      command.stop = std::move(stop);
      result_ = base::run_command(command);
    });
  }
  /// Ends it; what it wrote, for a failure's message.
  std::string end() {
    thread_.reset();
    return result_.errors.substr(0, 2000);
  }
  /// VmRSS; it is the only child of this process.
  [[nodiscard]] double resident_bytes() const {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::ifstream children(task.path() / "children");
      if (std::string pid; children >> pid) return bench::resident_bytes(pid);
    }
    throw std::runtime_error("the manager does not run");
  }

 private:
  base::CommandResult result_;
  std::unique_ptr<base::Thread> thread_;
};

void wait_reconciled(Ground& ground, ManagerProcess& manager) {
  if (!ground.wait_reconciled()) throw std::runtime_error("no reconcile: " + manager.end());
}

double first_reconcile_ms() {
  Ground ground;
  const base::MonoTime begin = ground.now();
  ManagerProcess manager(ground.kubeconfig());
  wait_reconciled(ground, manager);
  return std::chrono::duration<double, std::milli>(ground.first_reconcile() - begin).count();
}

double manager_idle_mib() {
  Ground ground;
  ManagerProcess manager(ground.kubeconfig());
  wait_reconciled(ground, manager);
  base::Signal never;
  static_cast<void>(never.wait_for(kSettle));
  return manager.resident_bytes() / (1024 * 1024);
}

}  // namespace

std::vector<Figure> manager_figures() {
  return {{"manager_idle_mib", "MiB", manager_idle_mib}, {"first_reconcile_ms", "ms", first_reconcile_ms}};
}

}  // namespace kruise::bench
