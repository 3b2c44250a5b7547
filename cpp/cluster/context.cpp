#include "cluster/context.hpp"

#include "cluster/metadata.hpp"

namespace kruise::cluster {

Context::Context(const base::Clock& clock, std::uint64_t seed, std::size_t history_events)
    : clock_(clock), storage_(history_events), catalog_(std::make_shared<const Catalog>()), uids_(0), names_(0), timeouts_(0) {
  reseed(seed);
}

void Context::reseed(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  uids_ = base::Random(seed).stream("uids");
  names_ = base::Random(seed).stream("names");
  timeouts_ = base::Random(seed).stream("timeouts");
}

std::shared_ptr<const Catalog> Context::catalog() const {
  const std::lock_guard lock(mutex_);
  return catalog_;
}

void Context::serve_all(std::vector<KindPtr> kinds) {
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<Catalog>(*catalog_);
  for (auto& kind : kinds) next->add(std::move(kind));
  catalog_ = std::move(next);
}

void Context::serve(std::string_view group, std::string_view plural, std::vector<KindPtr> kinds) {
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<Catalog>(*catalog_);
  next->remove_group_resource(group, plural);
  for (auto& kind : kinds) next->add(std::move(kind));
  catalog_ = std::move(next);
}

std::string Context::new_uid() {
  const std::lock_guard lock(mutex_);
  return fresh_uid(uids_);
}

std::string Context::new_name(std::string_view base) {
  const std::lock_guard lock(mutex_);
  return generated_name(base, names_);
}

std::uint64_t Context::draw(std::uint64_t bound) {
  const std::lock_guard lock(mutex_);
  return timeouts_.below(bound);
}

}  // namespace kruise::cluster
