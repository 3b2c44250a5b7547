#include "base/crash.hpp"

#include <execinfo.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace kruise::base {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr std::array kFatal{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
int exit_status = 1;

// Nothing here allocates or locks: the process may have stopped anywhere.

void say(const char* text) { static_cast<void>(!write(STDERR_FILENO, text, std::strlen(text))); }

[[noreturn]] void end() {
  std::array<void*, 64> stack{};
  say("\nstack:\n");
  backtrace_symbols_fd(stack.data(), backtrace(stack.data(), static_cast<int>(stack.size())), STDERR_FILENO);
  _exit(exit_status);
}

void on_signal(int number) {
  say("fatal signal: ");
  say(sigdescr_np(number));
  end();
}

void on_terminate() {
  say("uncaught exception: ");
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
    say("none (terminate was called)");
  } catch (const std::exception& error) {
    say(error.what());
  } catch (...) {
    say("of an unknown type");
  }
  end();
}

}  // namespace

void exit_on_crash(int status) {
  if (kSanitized) return;
  exit_status = status;
  std::array<void*, 1> first{};
  backtrace(first.data(), 1);  // the first call loads a library, for which it is too late in a handler
  std::set_terminate(on_terminate);
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESETHAND;  // a second fault ends it as usual
  for (const int number : kFatal) sigaction(number, &action, nullptr);
}

}  // namespace kruise::base
