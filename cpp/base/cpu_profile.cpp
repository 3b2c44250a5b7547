#include "base/cpu_profile.hpp"

#include <execinfo.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

namespace kruise::base {
namespace {

constexpr std::int64_t kPeriodUs = 10'000;
constexpr std::size_t kDepth = 48;
constexpr std::size_t kSamplesMax = 16'384;  // 160 s of CPU time; later ones are lost
/// The handler itself and the kernel's return from it.
constexpr std::size_t kOwnFrames = 2;

struct Sample {
  std::size_t depth = 0;
  std::array<void*, kDepth> stack;
};

struct Samples {
  std::vector<Sample> all{kSamplesMax};
  std::atomic<std::size_t> taken{0};
  std::atomic<int> writing{0};
};

/// Null while no profile is taken.
std::atomic<Samples*> current{nullptr};

/// On whatever thread was running: takes no lock and allocates nothing.
void on_tick(int) {
  const int saved = errno;
  if (Samples* samples = current.load()) {
    samples->writing.fetch_add(1);
    // Asked again: the profile may have ended between the two.
    const bool still = current.load() == samples;
    const std::size_t index = still ? samples->taken.fetch_add(1) : kSamplesMax;
    if (index < kSamplesMax) {
      Sample& sample = samples->all[index];
      sample.depth = static_cast<std::size_t>(backtrace(sample.stack.data(), static_cast<int>(kDepth)));
    }
    samples->writing.fetch_sub(1);
  }
  errno = saved;
}

void set_timer(std::int64_t period_us) {
  itimerval timer{};
  timer.it_interval.tv_usec = period_us;
  timer.it_value.tv_usec = period_us;
  setitimer(ITIMER_PROF, &timer, nullptr);
}

void append(std::string& out, std::uintptr_t word) { out.append(reinterpret_cast<const char*>(&word), sizeof(word)); }

std::string text_of(const Samples& samples) {
  std::string out;
  for (const std::uintptr_t word : {0, 3, 0, static_cast<int>(kPeriodUs), 0}) append(out, word);
  const std::size_t count = std::min(samples.taken.load(), kSamplesMax);
  for (std::size_t i = 0; i < count; ++i) {
    const Sample& sample = samples.all[i];
    if (sample.depth <= kOwnFrames) continue;
    append(out, 1);
    append(out, sample.depth - kOwnFrames);
    for (std::size_t frame = kOwnFrames; frame < sample.depth; ++frame)
      append(out, reinterpret_cast<std::uintptr_t>(sample.stack[frame]));
  }
  for (const std::uintptr_t word : {0, 1, 0}) append(out, word);
  const std::ifstream maps("/proc/self/maps");
  std::ostringstream text;
  text << maps.rdbuf();
  return out + text.str();
}

}  // namespace

std::optional<std::string> cpu_profile(Duration span, Signal& stop) {
  std::array<void*, 1> first{};
  backtrace(first.data(), 1);  // the first call loads a library, for which a signal handler is no place
  const auto samples = std::make_unique<Samples>();
  Samples* none = nullptr;
  if (!current.compare_exchange_strong(none, samples.get())) return std::nullopt;

  struct sigaction action{};
  action.sa_handler = on_tick;
  action.sa_flags = SA_RESTART;
  sigaction(SIGPROF, &action, nullptr);
  set_timer(kPeriodUs);
  static_cast<void>(stop.wait_for(span));
  set_timer(0);
  // The handler stays installed: a tick that is still to be delivered must find one. The buffer goes when no tick writes to it.
  current.store(nullptr);
  while (samples->writing.load() > 0) std::this_thread::yield();
  return text_of(*samples);
}

}  // namespace kruise::base
