// Judges each write of the manager during a rollout, on the state in storage at that instant.
//
// Written from the documented behaviour alone: no code is shared with the plans. It keeps counts instead of scanning, so that a
// rollout of 10,000 pods can be judged throughout without being dominated by its judge. One set, that exists before its pods,
// without a wait (`minReadySeconds`) after which pods become available with no write.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cluster/api_server.hpp"

namespace kruise::bench {

class RolloutJudge {
 public:
  /// Every write in order of version. Texts have padding behind them, as storage gives them. Throws std::runtime_error when a
  /// text is no object, or the set has what is not judged here.
  void on_write(const cluster::StorageEvent&);

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  /// Writes of pods by the manager, each of them judged.
  [[nodiscard]] std::uint64_t judged() const { return judged_; }
  /// Writes of all, by "who plural", whatever their verb.
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& writes() const { return writes_; }
  /// Pods that were seen not ready, then with another image ID, then ready again, since the last `begin_passes`.
  [[nodiscard]] std::uint64_t passed() const { return passed_; }
  void begin_passes();

 private:
  struct Set {
    std::string uid;
    std::int64_t replicas = 1, max_unavailable = 0, max_surge = 0, partition = 0;
    std::map<std::string, std::string, std::less<>> selector;  // matchLabels
    bool orphaning = false;
  };
  enum class Stage : std::uint8_t { kStart, kNotReady, kNewImage, kPassed };
  /// What the rules ask of a pod.
  struct Facts {
    std::string owner;  // UID of its controller
    std::string revision;
    std::string image_id;  // of the first container
    bool active = false;
    bool available = false;
    bool ready = false;
    bool matches = false;
  };
  struct Pod {
    Facts facts;
    std::string first_image_id;  // when the passes began
    Stage stage = Stage::kStart;
  };

  [[nodiscard]] Set read_set(std::string_view text) const;
  [[nodiscard]] Facts read_pod(std::string_view text) const;
  void take_revision(const cluster::StorageEvent&);
  void take_pod(std::string_view name, std::optional<Facts> now);
  void count(const Facts&, int sign);
  void judge(const cluster::StorageEvent&, const Facts* before, const Facts* after);
  [[nodiscard]] bool ours(const Facts& facts) const { return set_ && facts.owner == set_->uid; }
  [[nodiscard]] std::int64_t at_newest() const;

  std::optional<Set> set_;
  std::unordered_map<std::string, Pod> pods_;
  std::map<std::string, std::int64_t, std::less<>> revisions_;  // name to number
  std::string newest_;
  // Of the set's active pods.
  std::int64_t all_ = 0, unavailable_ = 0;
  std::unordered_map<std::string, std::int64_t> by_revision_;
  std::vector<std::string> violations_;
  std::map<std::string, std::uint64_t, std::less<>> writes_;
  std::uint64_t judged_ = 0, passed_ = 0;
};

}  // namespace kruise::bench
