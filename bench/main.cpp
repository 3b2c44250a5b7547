// kruise-bench: one JSON line a figure, the median of five fresh processes. `kruise-bench NAME...` takes only those.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <iostream>
#include <ranges>

#include "base/json_writer.hpp"
#include "harness.hpp"
#include "pages_file.hpp"

namespace {

using kruise::bench::Figure;

std::vector<Figure> all_figures() {
  std::vector<Figure> figures;
  for (auto&& group : {kruise::bench::cache_figures(), kruise::bench::plan_figures(), kruise::bench::manager_figures(),
                       kruise::bench::rollout_figures()})
    figures.insert(figures.end(), group.begin(), group.end());
  return figures;
}

void print_median(const Figure& figure) {
  std::array<double, 5> samples{};
  for (double& sample : samples) sample = std::stod(kruise::bench::run_self({"--sample", figure.name}));
  std::ranges::sort(samples);
  std::string name;
  kruise::base::append_json_string(name, figure.name);
  std::printf("{\"name\":%s,\"value\":%.1f,\"unit\":\"%s\"}\n", name.c_str(), samples[samples.size() / 2], figure.unit.c_str());
  std::fflush(stdout);
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 3 && arguments[0] == "--write-pages") {
    kruise::bench::write_pages(arguments[1], static_cast<std::uint32_t>(std::stoul(arguments[2])));
    return 0;
  }
  const bool sample = arguments.size() == 2 && arguments[0] == "--sample";
  std::size_t taken = 0;
  for (const Figure& figure : all_figures()) {
    const bool wanted = arguments.empty() || std::ranges::find(arguments, figure.name) != arguments.end();
    if (!wanted) continue;
    ++taken;
    if (sample) {
      std::printf("%.6f\n", figure.sample());
    } else {
      print_median(figure);
    }
  }
  if (taken == 0) std::cerr << "kruise-bench: no such figure; without arguments all are taken\n";
  return taken == 0 ? 2 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "kruise-bench: " << error.what() << "\n";
    return 1;
  }
}
