// A model of one collection of an API server behind `client::Client`: storage with history, pages, watches, bookmarks, streamed
// lists, and every way in which all this can break. A generator of faults, on virtual time.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/meta.hpp"
#include "base/executor.hpp"
#include "base/random.hpp"
#include "cache/decoder.hpp"
#include "client/client.hpp"

namespace kruise::cache {

/// The object of these tests: metadata, and a number that changes.
struct Thing {
  api::ObjectMeta meta;
  std::int64_t number = 0;
  bool operator==(const Thing&) const = default;
};
[[nodiscard]] Decoder<Thing>::Decoded decode_thing(std::string_view json);

class ModelServer final : public client::Client {
 public:
  struct Faults {
    double refuse_list = 0, refuse_watch = 0;  // chance of an answer 500 or none at all
    double break_stream = 0;                   // per event: the connection ends, in or between lines
    double partial_line = 0;                   // of those: the cut line is delivered
    double error_event = 0;                    // per event: an ERROR comes instead, 500 or 429
    double foreign_line = 0;                   // per event: bytes of somebody else
    double compact = 0;                        // per write: history is thrown away
    double end_stream = 0;                     // per event: closed in good order
    double cut_page = 0;                       // a page is cut short
  };
  struct Stored {
    std::uint64_t version = 0;
    std::string uid;
    std::string rest;  // of the JSON, after the metadata that the server sets
    std::string json;
  };

  ModelServer(base::VirtualLoop& loop, std::uint64_t seed) : loop_(loop), random_(seed) {}

  // The collection.
  void put(const std::string& ns, const std::string& name, std::int64_t number, const std::string& owner = "");
  void remove(const std::string& ns, const std::string& name);
  /// Versions count on without an event here (writes to other collections).
  void tick() { ++version_; }
  void bookmark();
  void compact();
  /// As a restored etcd: versions go back, history is lost, watches break.
  void restore(std::uint64_t version);
  [[nodiscard]] const std::map<std::string, Stored>& objects() const { return objects_; }
  [[nodiscard]] std::size_t open_watches() const { return streams_.size(); }
  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// Ends every watch, as a broken connection or in good order.
  void drop_watches(bool in_good_order);
  /// Watches hear nothing more but stay open.
  void go_silent();

  Faults faults;
  /// The connection breaks after so many bytes of all lines sent so far, newlines counted, once.
  std::optional<std::size_t> cut_at_byte;
  bool deliver_cut_line = false;
  bool streams_lists = true;
  bool refuse_stream_with_422 = false;
  std::function<void(const client::Request&)> on_request;  // before it is answered
  std::function<void(std::string&)> on_page;               // once; may change its bytes
  int lists = 0, pages = 0, watches = 0, streamed = 0;
  std::size_t bytes_sent = 0;  // of lines and their newlines

  // client::Client
  void send(client::Request, client::Done done) override;
  [[nodiscard]] std::unique_ptr<client::Watch> watch(client::Request, client::WatchHandler& handler) override;
  [[nodiscard]] base::Executor& executor() override { return loop_; }

 private:
  class Stream;
  struct Event {
    std::uint64_t version;
    std::string line;
  };
  struct Snapshot {
    std::uint64_t version;
    std::map<std::string, Stored> objects;
  };
  bool chance(double p) { return p > 0 && random_.unit() < p; }
  [[nodiscard]] static std::string json_of(const std::string& ns, const std::string& name, const Stored&);
  void record(const char* type, std::uint64_t version, const std::string& json);
  client::Outcome answer(const std::string& path);

  base::VirtualLoop& loop_;
  base::Random random_;
  std::map<std::string, Stored> objects_;  // by "ns/name"
  std::deque<Event> history_;
  std::map<std::uint64_t, Snapshot> snapshots_;  // lists under way, by version
  std::uint64_t version_ = 100;
  std::uint64_t compacted_ = 0;
  std::uint64_t uids_ = 0;
  std::vector<Stream*> streams_;
};

}  // namespace kruise::cache
