// Keeps a feed equal to what the server holds: list once, then watch for ever.
//
// The written state machine (every arrow is tested in tests/cpp/cache/reflector_test.cpp):
//
//     state       what arrives                                   next
//     ---------   --------------------------------------------   -----------------------------------------------------------
//     kStopped    start()                                        kListing or kStreaming; kWatching when a version is known
//     kListing    page with `continue`                           kListing, next page
//                 last page                                      swap, kWatching from the list's version
//                 410 on a later page                            kWaiting, list anew (unpaged after three times)
//                 error, foreign bytes                           kWaiting, list anew
//     kStreaming  ADDED, MODIFIED, DELETED                       collected aside
//                 BOOKMARK with initial-events-end               swap, kWatching
//                 ERROR as first message, 400, 422               remembered: this server streams no lists; kListing
//                 silence, end, error, foreign bytes             kWaiting; kListing after three times
//     kWatching   ADDED, MODIFIED, DELETED, BOOKMARK             kWatching, version advanced
//                 end in good order                              kWatching from the last version, at once
//                 broken stream, ERROR but 410                   kWaiting, watch from the last version (a list after four times)
//                 410, foreign bytes                             kWaiting, list; the swap reports only differences
//                 two bookmarks missed, `timeoutSeconds` over    kWatching on a new connection from the last version
//     kWaiting    the back-off is over                           as written above
//     any         relist()                                       kListing or kStreaming
//     any         stop()                                         kStopped; the objects stay, a later start resumes
//
// A list is asked for without resourceVersion, so that it is the server's newest state, not some cache's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/key.hpp"
#include "api/scheme.hpp"
#include "base/executor.hpp"
#include "base/random.hpp"
#include "cache/feed.hpp"
#include "client/client.hpp"

namespace kruise::cache {

/// Which objects of a kind: all of them when everything is empty.
struct Scope {
  std::string ns{};
  std::string label_selector{};
  std::string field_selector{};
  [[nodiscard]] static Scope one(const api::Key& key) { return {key.ns, "", "metadata.name=" + key.name}; }
};

/// What was found out about a server, shared by all reflectors of it.
struct ServerFacts {
  bool streams_lists = true;  // until it refuses
};

struct ReflectorOptions {
  Scope scope{};
  std::shared_ptr<ServerFacts> facts = std::make_shared<ServerFacts>();
  int page_objects_max = 500;
  base::Duration watch_timeout_min = std::chrono::minutes(5);
  base::Duration watch_timeout_max = std::chrono::minutes(10);
  /// How often the server sends bookmarks at the latest, where it sends any.
  base::Duration bookmark_interval = std::chrono::seconds(75);
  /// Silence of a streamed list after which it is given up.
  base::Duration stream_silence_max = std::chrono::seconds(30);
  base::Duration retry_delay_min = std::chrono::milliseconds(200);
  base::Duration retry_delay_max = std::chrono::seconds(15);
};

struct ReflectorStats {
  enum class State : std::uint8_t { kStopped, kListing, kStreaming, kWatching, kWaiting };
  State state = State::kStopped;
  /// When the server was last heard of: a page, an event, a bookmark.
  std::optional<base::MonoTime> last_sign_of_life;
  std::uint64_t lists = 0;  // done, streamed ones included
  /// When the last list that is done was begun: what had been written by then is known.
  std::optional<base::MonoTime> listed_from;
  std::uint64_t streamed_lists = 0;  // done
  std::uint64_t pages = 0;
  std::uint64_t watches = 0;  // opened
  std::uint64_t events = 0;   // of objects
  std::uint64_t bookmarks = 0;
  std::uint64_t renewals = 0;  // connections replaced because of silence
  std::uint64_t expired = 0;   // 410
  std::uint64_t foreign = 0;   // bytes that were no list or event
  std::uint64_t failures = 0;  // of whatever kind
  std::string last_error;
  FeedStats feed;
};

/// One reflector a feed. Lives on the client's executor: construction, calls and destruction happen there (or before it runs).
class Reflector {
 public:
  using State = ReflectorStats::State;
  /// Required: client and feed outlive the reflector.
  Reflector(client::Client&, api::Resource, Feed&, base::Random, ReflectorOptions = {});
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  void start();
  void stop();
  /// Lists anew, whatever is known; started before. The swap tells differences only.
  void relist();
  [[nodiscard]] ReflectorStats stats() const;
  [[nodiscard]] std::optional<base::MonoTime> listed_from() const { return stats_.listed_from; }

 private:
  struct Session;
  struct Failure {
    std::string what;
    bool list = false;  // what is known cannot be resumed from
    std::optional<base::Duration> retry_after;
    bool gone = false;  // the kind itself is unknown: look again soon
  };

  [[nodiscard]] base::Task of_this_epoch(base::Task) const;
  void proceed();
  void request_page(std::string token);
  void take_page(const std::string& asked_token, client::Outcome);
  void open(State);
  void take_line(std::string_view line);
  void take_error(const WatchEvent&);
  void take_bookmark(const WatchEvent&);
  void take_end(const std::optional<client::ApiError>&);
  void give_up_streaming();
  void finish_list(std::uint64_t version);
  void foreign_bytes(const api::DecodeError&);
  void fail(Failure);
  void sign_of_life();
  void close();
  void arm_silence_timer();
  void check_silence();
  [[nodiscard]] base::Duration silence_max() const;
  [[nodiscard]] base::Duration next_delay(const Failure&);

  client::Client& client_;
  const api::Resource resource_;
  Feed& feed_;
  base::Random random_;
  const ReflectorOptions options_;

  State state_ = State::kStopped;
  bool needs_list_ = true;
  bool paged_ = true;
  bool sees_bookmarks_ = false;
  int attempts_ = 0;         // failures since the last sign of a healthy watch
  int watch_attempts_ = 0;   // the same, since the last list
  int stream_attempts_ = 0;  // streamed lists that failed in a row
  int expired_pages_ = 0;    // 410 on later pages in a row
  std::uint64_t listed_pages_ = 0;
  base::MonoTime list_begun_{};
  std::unique_ptr<Session> session_;
  base::TimerId retry_timer_ = 0, silence_timer_ = 0;
  std::shared_ptr<std::uint64_t> epoch_;  // answers of an older epoch, or of a reflector that is gone, are not ours
  ReflectorStats stats_;
};

}  // namespace kruise::cache
