#include "client/watch_multi.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace kruise::client {
namespace {

constexpr std::size_t kEventsAtATime = 64;
constexpr base::Duration kWaitMax = std::chrono::hours(1);

}  // namespace

WatchMulti::WatchMulti() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), multi_(curl_multi_init()) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  curl_multi_setopt(get(), CURLMOPT_SOCKETFUNCTION, watch_socket);
  curl_multi_setopt(get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(get(), CURLMOPT_TIMERFUNCTION, set_timer);
  curl_multi_setopt(get(), CURLMOPT_TIMERDATA, this);
}

WatchMulti::~WatchMulti() {
  multi_.reset();
  ::close(epoll_);
}

curl_waitfd WatchMulti::wait_on() const { return {epoll_, CURL_WAIT_POLLIN, 0}; }

base::Duration WatchMulti::until_timer(base::MonoTime now) const {
  if (timer_ == base::MonoTime::max()) return kWaitMax;
  return std::max(timer_ - now, base::Duration{0});
}

void WatchMulti::run_timer(base::MonoTime now) {
  if (timer_ > now) return;
  timer_ = base::MonoTime::max();
  int running = 0;
  curl_multi_socket_action(get(), CURL_SOCKET_TIMEOUT, 0, &running);
}

void WatchMulti::run_connections() {
  int running = 0;
  std::array<epoll_event, kEventsAtATime> events{};
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const int what = ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                     ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                     ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(get(), event.data.fd, what, &running);
  }
}

int WatchMulti::watch_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  const int epoll = static_cast<WatchMulti*>(self)->epoll_;
  epoll_event event{};
  event.data.fd = socket;
  if (what == CURL_POLL_REMOVE) {
    ::epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nullptr);
    return 0;
  }
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) event.events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) event.events |= EPOLLOUT;
  // A closed socket leaves the set by itself and its number may come again, so libcurl's word is not enough to tell new from
  // known.
  if (::epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) != 0) ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
  return 0;
}

int WatchMulti::set_timer(CURLM*, long ms, void* self) {
  auto& watches = *static_cast<WatchMulti*>(self);
  watches.timer_ = ms < 0 ? base::MonoTime::max() : watches.clock_.mono() + std::chrono::milliseconds(ms);
  return 0;
}

}  // namespace kruise::client
