// Which changes of a pod need no look at its set. Only what provably changes no plan is dropped: a plan reads the fields compared
// here and no others (event_filter_test.cpp plans both states and compares).
#pragma once

#include "api/pod.hpp"

namespace kruise::controllers::cloneset {

/// Two states of one pod, the same for every plan. Versions do not count: a plan that wrote against the older one is refused by
/// the server and made anew.
[[nodiscard]] bool is_no_op(const api::Pod& before, const api::Pod& after);

}  // namespace kruise::controllers::cloneset
