// The end of a process that has found a mistake of its own: an exception that nobody takes, a failed assertion, a fatal signal.
#pragma once

namespace kruise::base {

/// From now on such an end writes what happened and the stack to stderr and exits with `status`. Addresses are given as
/// `executable(+offset)`, which addr2line reads. Does nothing in builds with sanitizers, which tell more.
void exit_on_crash(int status);

}  // namespace kruise::base
