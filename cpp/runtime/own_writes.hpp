// Read your own writes: a controller plans a key again only when the caches have passed what its last plan wrote.
//
// What the specification calls expectations. Each write is remembered with the version that the server answered; it is met once
// the kind's watch has reached that version and the cache shows the object so. A deletion is met by seeing the object
// terminating, gone or replaced. After a lost answer, and where the watch has passed a version whose event never came, the server
// is asked what became of the object. Nothing blocks for ever: past the time-out the objects are read live.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/key.hpp"
#include "api/scheme.hpp"
#include "base/lifetime.hpp"
#include "base/metrics.hpp"
#include "client/client.hpp"

namespace kruise::runtime {

/// An object as a cache shows it.
struct Seen {
  std::string uid;
  bool terminating = false;
  std::uint64_t version = 0;
};

/// Where the caches of this process stand. On the loop.
class Versions {
 public:
  virtual ~Versions() = default;
  /// The version that the kind's watch has reached; absent when the kind is not cached (then there is nothing to wait for).
  [[nodiscard]] virtual std::optional<std::uint64_t> reached(const api::Resource&) const = 0;
  [[nodiscard]] virtual std::optional<Seen> object(const api::Resource&, const api::Key&) const = 0;
  /// How many complete lists of the kind there have been.
  [[nodiscard]] virtual std::uint64_t lists(const api::Resource&) const = 0;
  /// The cache does not show what the server has: list the kind anew.
  virtual void refresh(const api::Resource&) = 0;
};

/// Whose plan wrote: a controller and its key.
struct Owner {
  std::string controller;
  api::Key key;
  auto operator<=>(const Owner&) const = default;
};

struct OwnWrite {
  enum class Expect : std::uint8_t { kVersion, kAbsence, kUnknown };
  api::Resource resource;
  api::Key key;
  Expect expect = Expect::kUnknown;
  std::uint64_t version = 0;  // kVersion
  std::string uid{};          // kAbsence: of the object that goes; empty: any
  bool created = false;       // kVersion: nobody but a deleter explains that the cache does not show the object
};

/// One for all controllers of a process. Lives on the client's executor.
class OwnWrites {
 public:
  struct Options {
    base::Duration timeout = std::chrono::minutes(5);
    /// Gate ForceDeleteTimeoutExpectationGate: what is unmet at the time-out is dropped unread.
    bool drop_at_timeout = false;
  };
  OwnWrites(Options, client::Client&, Versions&, base::Metrics&);

  void record(const Owner&, OwnWrite);
  /// Whether the caches have passed everything the owner wrote. If not, `again` is called once when they have (a later call
  /// replaces it).
  [[nodiscard]] bool met(const Owner&, std::function<void()> again);
  /// The owner is gone.
  void forget(const Owner&);
  /// Some cache moved. Cheap when nobody waits.
  void progress();
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Written {
    api::Key key;
    std::uint64_t version = 0;
    bool created = false;
  };
  /// Versions only grow, so the newest stands for all of a kind until the watch has reached it; then each is looked at, once.
  struct OfKind {
    api::Resource resource;
    Written newest;
    std::vector<Written> others;
  };
  struct Unknown {
    OwnWrite write;
    bool missed = false;  // the watch has passed it without showing it
  };
  struct Relist {
    api::Resource resource;
    std::uint64_t lists = 0;  // met at so many
  };
  struct Entry {
    std::vector<OfKind> kinds;
    std::vector<OwnWrite> absences;
    std::vector<Unknown> unknown;
    std::vector<Relist> relists;
    std::function<void()> again;
    base::TimerId timer = 0;
    base::MonoTime since{};   // the first look that found something unmet
    bool overdue = false;     // past the time-out, and said so
    std::uint64_t round = 0;  // of live reads; answers to an older one are void
  };

  static void add(Entry&, OwnWrite);
  bool settle(Entry&);
  void settle_kind(const OfKind&, Entry&);
  /// `settle`, with what it found to be missed asked for soon.
  bool look(const Owner&, Entry&);
  void arm(const Owner&, Entry&, base::Duration);
  void on_timeout(const Owner&);
  void read_live(const Owner&, Entry&);
  void ask(const Owner&, Entry&, const api::Resource&, const api::Key&,
           std::function<void(const client::Outcome&, Entry&)> on_answer);
  void resolve_unknown(Entry&, const Unknown&, const client::Outcome&);
  void list_anew(Entry&, const api::Resource&);

  Options options_;
  client::Client& client_;
  Versions& versions_;
  base::Metrics& metrics_;
  std::map<Owner, Entry> entries_;
  bool progress_posted_ = false;
  base::Lifetime life_;
};

}  // namespace kruise::runtime
