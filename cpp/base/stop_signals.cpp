#include "base/stop_signals.hpp"

#include <csignal>
#include <ctime>

namespace kruise::base {
namespace {

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stop_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool StopSignals::wait_for(Duration span) {
  const sigset_t set = stop_set();
  constexpr std::int64_t kSecond = 1'000'000'000;
  const timespec limit{span.count() / kSecond, span.count() % kSecond};
  return sigtimedwait(&set, nullptr, &limit) > 0;
}

}  // namespace kruise::base
