#include "base/thread.hpp"

#include <pthread.h>

namespace kruise::base {

Thread::Thread(const std::string& name, std::function<void(std::stop_token)> body) : thread_(std::move(body)) {
  constexpr std::size_t kThreadNameMax = 15;
  pthread_setname_np(thread_.native_handle(), name.substr(0, kThreadNameMax).c_str());
}

void Signal::set() {
  // Notified under the lock: a waiter may destroy the signal as soon as it has seen it set.
  const std::lock_guard lock(mutex_);
  set_ = true;
  changed_.notify_all();
}

bool Signal::wait_for(Duration span) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, span, [this] { return set_; });
}

}  // namespace kruise::base
