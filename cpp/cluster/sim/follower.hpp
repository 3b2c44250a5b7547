// Follows the objects of one kind for a simulator: a list, then a watch for ever, begun anew where it broke.
//
// A cache of its own on purpose: the embedded cluster, and what judges the manager on it, share no code with the manager's cache.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/scheme.hpp"
#include "base/lifetime.hpp"
#include "client/client.hpp"

namespace kruise::cluster::sim {

/// What identifies an object that was seen; version 0: the text was no object.
struct Seen {
  std::string key;  // "ns/name"
  std::uint64_t version = 0;
};

/// Takes what a follower sees. Views live until return; at least client::Client::kPadding readable bytes follow them.
class Sink {
 public:
  virtual ~Sink() = default;
  /// The object exists and looks like this now. Told again after a new list, whether or not it changed.
  virtual Seen seen(std::string_view json) = 0;
  /// "ns/name" of an object that exists no more.
  virtual void gone(const std::string& key) = 0;
  /// Everything of the first list was seen.
  virtual void listed() {}
};

/// On the client's executor, as all simulators. Required: client and sink outlive it.
class Follower final : private client::WatchHandler {
 public:
  static constexpr int kPageObjects = 500;
  static constexpr base::Duration kRetryDelay = std::chrono::seconds(1);

  Follower(client::Client&, api::Resource, Sink&);
  ~Follower() override;
  void start();
  void stop();

 private:
  void list(const std::string& token);
  void take_page(const client::Outcome&);
  void open();
  void again(bool list, base::Duration delay);
  std::uint64_t take(std::string_view json);
  void on_event(std::string_view line) override;
  void on_end(std::optional<client::ApiError>) override;

  client::Client& client_;
  const api::Resource resource_;
  Sink& sink_;
  std::unordered_map<std::string, std::uint64_t> known_;  // key -> the list in which it was last seen
  std::uint64_t lists_ = 0;
  std::string version_;
  std::unique_ptr<client::Watch> watch_;
  bool stopped_ = true;
  bool reopening_ = false;
  std::unique_ptr<base::Lifetime> life_;  // of the present session: answers to an earlier one are not heard
};

}  // namespace kruise::cluster::sim
