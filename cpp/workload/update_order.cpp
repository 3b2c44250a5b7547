#include "workload/update_order.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "workload/scatter.hpp"

namespace kruise::workload {
namespace {

using Priority = std::pair<std::int64_t, std::int64_t>;  // smaller goes first

class Weights {
 public:
  explicit Weights(std::span<const api::UpdatePriorityWeightTerm> terms) {
    for (const auto& term : terms) {
      // A selector that cannot be read weighs nothing.
      if (auto selector = api::Selector::from(term.match_selector); selector.ok())
        terms_.emplace_back(std::move(*selector), term.weight);
    }
  }
  [[nodiscard]] Priority of(const api::Pod& pod) const {
    std::int64_t sum = 0;
    for (const auto& [selector, weight] : terms_) {
      if (selector.matches([&pod](std::string_view key) { return pod.label(key); })) sum += weight;
    }
    return {-sum, 0};
  }

 private:
  std::vector<std::pair<api::Selector, std::int64_t>> terms_;
};

Priority by_ordered_keys(const api::Pod& pod, std::span<const api::UpdatePriorityOrderTerm> terms) {
  for (std::size_t level = 0; level < terms.size(); ++level) {
    if (const auto value = pod.label(terms[level].ordered_key))
      return {static_cast<std::int64_t>(level), -trailing_number(*value)};
  }
  return {-1, 0};
}

}  // namespace

void sort_by_priority(std::vector<std::size_t>& order, std::span<const api::Pod* const> pods,
                      const api::UpdatePriorityStrategy& strategy) {
  if (strategy.weight_priority.empty() && strategy.order_priority.empty()) return;
  const Weights weights(strategy.weight_priority);
  std::vector<std::pair<Priority, std::size_t>> keyed;
  keyed.reserve(order.size());
  for (const std::size_t i : order) {
    keyed.emplace_back(
        strategy.order_priority.empty() ? weights.of(*pods[i]) : by_ordered_keys(*pods[i], strategy.order_priority), i);
  }
  std::ranges::stable_sort(keyed, {}, &std::pair<Priority, std::size_t>::first);
  std::ranges::transform(keyed, order.begin(), &std::pair<Priority, std::size_t>::second);
}

std::vector<std::size_t> scatter_by_terms(std::vector<std::size_t> order, std::span<const api::Pod* const> pods,
                                          std::span<const api::UpdateScatterTerm> terms) {
  struct Spread {
    std::vector<bool> labelled;
    ScatterTotals totals;
    std::size_t candidates = 0;
  };
  std::vector<Spread> spreads;
  for (const auto& term : terms) {
    Spread spread{.labelled = std::vector<bool>(pods.size()), .totals = {}};
    for (std::size_t i = 0; i < pods.size(); ++i) {
      spread.labelled[i] = pods[i]->label(term.key) == std::string_view(term.value);
      ++(spread.labelled[i] ? spread.totals.with_label : spread.totals.without_label);
    }
    for (const std::size_t i : order) spread.candidates += spread.labelled[i] ? 1 : 0;
    if (terms.size() == 1 || spread.candidates > 0) spreads.push_back(std::move(spread));
  }
  std::ranges::stable_sort(spreads, std::ranges::greater{}, &Spread::candidates);
  for (const auto& spread : spreads) order = scatter(std::move(order), spread.labelled, spread.totals);
  return order;
}

std::int64_t trailing_number(std::string_view text) {
  const auto last_other = text.find_last_not_of("0123456789");
  const std::string_view digits = last_other == std::string_view::npos ? text : text.substr(last_other + 1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc{} && end == digits.data() + digits.size() ? number : 0;
}

}  // namespace kruise::workload
