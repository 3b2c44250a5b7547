#include "patch/element_order.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kruise::patch::strategic {
namespace {

using nlohmann::json;
using Rank = std::ptrdiff_t;  // -1: not listed

Rank rank_in(const std::vector<json>& order, const json& key) {
  const auto found = std::ranges::find(order, key);
  return found == order.end() ? -1 : found - order.begin();
}

struct Element {
  json value;
  Rank wanted;
  Rank before;
};

/// Sorts by a rank that some elements lack: such an element goes ahead of all that stand before it, as API servers do.
void sort_by(std::vector<Element>& elements, Rank Element::* rank) {
  if (std::ranges::none_of(elements, [&](const Element& e) { return e.*rank < 0; })) {
    std::ranges::stable_sort(elements, {}, rank);
    return;
  }
  for (auto at = elements.begin(); at != elements.end(); ++at) {
    auto to = at;
    while (to != elements.begin() && (*at.*rank < 0 || *(to - 1).*rank < 0 || *at.*rank < *(to - 1).*rank)) --to;
    std::rotate(to, at, at + 1);
  }
}

}  // namespace

json ordered(json elements, const std::vector<json>& keys, const std::vector<json>& wanted, const std::vector<json>& before) {
  std::vector<Element> listed;
  std::vector<Element> others;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    Element element{std::move(elements[i]), rank_in(wanted, keys[i]), rank_in(before, keys[i])};
    (element.wanted >= 0 ? listed : others).push_back(std::move(element));
  }
  sort_by(listed, &Element::wanted);
  sort_by(others, &Element::before);

  json out = json::array();
  auto other = others.begin();
  for (auto& element : listed) {
    while (other != others.end() && other->before >= 0 && element.before >= 0 && other->before < element.before) {
      out.push_back(std::move((other++)->value));
    }
    out.push_back(std::move(element.value));
  }
  for (; other != others.end(); ++other) out.push_back(std::move(other->value));
  return out;
}

}  // namespace kruise::patch::strategic
