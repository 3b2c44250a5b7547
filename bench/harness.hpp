// Figures, each the median of five samples, each sample a process of its own.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace kruise::bench {

/// A figure of docs/performance.md. `sample` takes it once, in a fresh process, and returns its value.
struct Figure {
  std::string name;
  std::string unit;
  std::function<double()> sample;
};

// One function a file of figures; main.cpp joins them.
[[nodiscard]] std::vector<Figure> cache_figures();
[[nodiscard]] std::vector<Figure> plan_figures();
[[nodiscard]] std::vector<Figure> rollout_figures();
[[nodiscard]] std::vector<Figure> manager_figures();

/// What is in the chart's folder of CRDs, a text a file.
[[nodiscard]] std::vector<std::string> crd_texts();
/// A CloneSet of two containers in the namespace `default`, updated in place where possible, else as by default.
[[nodiscard]] std::string clone_set_json(const std::string& name, int replicas);

/// Milliseconds by the wall clock.
[[nodiscard]] double milliseconds(const std::function<void()>& work);
/// Milliseconds of processor time of this thread: for work on one core, so that what else the machine does is left out.
[[nodiscard]] double processor_milliseconds(const std::function<void()>& work);
/// Memory of a process that is in RAM and its own or shared (VmRSS), in bytes; and the most this one ever was (VmHWM).
[[nodiscard]] double resident_bytes(const std::string& pid = "self");
[[nodiscard]] double resident_bytes_max();

/// Runs this program again with other arguments and waits; throws when it fails. Returns what it printed.
std::string run_self(const std::vector<std::string>& arguments);

}  // namespace kruise::bench
