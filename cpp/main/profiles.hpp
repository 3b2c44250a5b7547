// What is served under /debug/pprof/: profiles of the process itself, for pprof.
#pragma once

#include "base/thread.hpp"
#include "runtime/http_listener.hpp"

namespace kruise::main {

/// A CPU profile blocks the caller for as long as the query asks (`?seconds=N`, else 30), or until `closing` is set.
[[nodiscard]] runtime::HttpReply answer_profile(const runtime::HttpQuery&, base::Signal& closing);

}  // namespace kruise::main
