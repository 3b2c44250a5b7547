// The node objects of a simulated fleet, each with its lease: registered, kept alive, lost and found again.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/lifetime.hpp"
#include "client/client.hpp"
#include "cluster/sim/kubelets.hpp"

namespace kruise::cluster::sim {

/// On the client's executor. The client and the options outlive it.
class NodeReporter {
 public:
  NodeReporter(client::Client&, const KubeletOptions&);
  void start();
  void stop();

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  /// The node's number; absent for nodes of others.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
  [[nodiscard]] const std::string& ip(std::size_t node) const { return nodes_[node].ip; }
  [[nodiscard]] bool lost(std::size_t node) const { return nodes_[node].lost; }
  /// A lost node falls silent; `unknown` is called when it was lost for the grace period and its Ready became Unknown.
  void lose(std::size_t node, std::function<void()> unknown);
  void recover(std::size_t node);

 private:
  struct Node {
    std::string name;
    std::string ip;
    bool lost = false;
    std::uint64_t losses = 0;
    std::uint64_t reports = 0;
    bool has_lease = false;  // as far as we know
  };
  void register_node(std::size_t node);
  void report(std::size_t node, const std::string& body);
  void beat(std::size_t node);
  void create_lease(std::size_t node, const std::string& uid);
  void renew_lease(std::size_t node);
  [[nodiscard]] std::string now() const;

  client::Client& client_;
  const KubeletOptions& options_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::unique_ptr<base::Lifetime> life_;
};

}  // namespace kruise::cluster::sim
