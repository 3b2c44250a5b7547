// libcurl's multi handle of the watches. They have one of their own: libcurl keeps the connections to a host together, and once
// one of them speaks HTTP/2 it may send another request on an HTTP/1.1 connection that is in use, and take the watch's events for
// its answer (seen with 7.88).
#pragma once

#include <curl/curl.h>

#include <memory>

#include "base/executor.hpp"

namespace kruise::client {

/// Works inside the loop of another multi handle: `wait_on` and `until_timer` say when there is something to do. One thread.
class WatchMulti {
 public:
  WatchMulti();
  ~WatchMulti();
  WatchMulti(const WatchMulti&) = delete;
  WatchMulti& operator=(const WatchMulti&) = delete;

  [[nodiscard]] CURLM* get() const { return multi_.get(); }
  /// Readable when a connection of a watch has something to do.
  [[nodiscard]] curl_waitfd wait_on() const;
  /// Time to wait at most from `now` on.
  [[nodiscard]] base::Duration until_timer(base::MonoTime now) const;
  /// Does what is due, without blocking.
  void run_timer(base::MonoTime now);
  void run_connections();

 private:
  static int watch_socket(CURL*, curl_socket_t, int what, void* self, void*);
  static int set_timer(CURLM*, long ms, void* self);

  struct Cleanup {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  int epoll_;
  base::SystemClock clock_;
  base::MonoTime timer_ = base::MonoTime::max();
  std::unique_ptr<CURLM, Cleanup> multi_;  // last: calls back while it ends
};

}  // namespace kruise::client
