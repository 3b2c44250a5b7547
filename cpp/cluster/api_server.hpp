// The embedded API server: one function from request to response, and watches.
// In process; `HttpServer` puts it on a port.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.hpp"
#include "client/client.hpp"
#include "cluster/conversion.hpp"

namespace kruise::cluster {

/// What happened in storage, told to checkers at that instant (invariants).
/// JSON texts live until return.
struct StorageEvent {
  std::string_view type;  // ADDED, MODIFIED, DELETED
  std::string_view group, plural, ns, name;
  std::uint64_t resource_version;
  std::string_view user_agent;  // who wrote
  std::string_view before;      // object as JSON, empty for ADDED
  std::string_view after;       // object as JSON; for DELETED the last state
};

/// Thread-safe: every call may come from any thread.
class ApiServer {
 public:
  struct Options {
    const base::Clock* clock = nullptr;         // required
    std::uint64_t seed = 0;                     // of UIDs and generated names
    std::size_t watch_history_events = 10'000;  // older versions answer 410
    std::string state_path;                     // --state; empty: memory only
    std::vector<Conversion> conversions{};      // versions served beyond the definitions' own
    /// Not null: this server shows what that one stored some writes ago, like a member of a group that has fallen behind. It is
    /// for reading, its definitions of kinds are those of its making, and it dies first.
    ApiServer* head = nullptr;
  };
  explicit ApiServer(const Options&);
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  /// Any request but a watch. Errors are answers too (code ≥ 400 with a Status
  /// as body).
  [[nodiscard]] client::Response handle(const client::Request&);

  /// A watch: the first answer is an error, or a stream from which lines are
  /// pulled.
  class Stream {
   public:
    virtual ~Stream() = default;
    /// The next line without newline, or nothing when none is due yet.
    virtual std::optional<std::shared_ptr<const std::string>> next() = 0;
    /// The stream ended (timeout, 410 ERROR sent, shutdown): nothing more will
    /// come.
    [[nodiscard]] virtual bool ended() const = 0;
    /// Calls `wake` (any thread, under no lock) whenever `next` may have
    /// something.
    virtual void on_ready(std::function<void()> wake) = 0;
    /// When `next` must be called again even if nothing wakes: a bookmark or the end is due then.
    [[nodiscard]] virtual base::MonoTime due() const = 0;
  };
  [[nodiscard]] base::Result<std::unique_ptr<Stream>, client::Response> watch(const client::Request&);
  [[nodiscard]] static bool is_watch(const client::Request&);

  /// The clock of Options: what `due` is told by.
  [[nodiscard]] const base::Clock& clock() const;

  /// Installs CustomResourceDefinitions from a YAML or JSON text (one or
  /// several documents); one that is there already becomes as the text says. Throws std::invalid_argument naming the field.
  void install_crd(std::string_view yaml_or_json);

  /// By how many writes this server is behind its head; what it is further behind than that it makes up for at once.
  void set_lag(std::size_t writes);
  /// Makes up for the lag at this moment; what happens from now on comes as late as before.
  void catch_up();

  /// Called under the storage lock at each write, in order of resourceVersion.
  /// For invariants; must not call back. Takes the place of the one before; empty: nobody is called.
  void observe_writes(std::function<void(const StorageEvent&)>);

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace kruise::cluster
