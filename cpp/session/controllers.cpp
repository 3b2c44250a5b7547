#include "session/controllers.hpp"

#include "controllers/cloneset/registration.hpp"
#include "controllers/podreadiness/reconciler.hpp"
#include "session/connection.hpp"

namespace kruise::session {

std::string controller_of(const std::string& kind) {
  for (const char* name : {"cloneset", "clonesets", "clone", "CloneSet", "clonesets.apps.kruise.io"}) {
    if (kind == name) return "cloneset-controller";
  }
  throw Refused("no controller plans the kind \"" + kind + "\"; there is one of cloneset");
}

Controllers::Controllers(client::Client& api, Options options)
    : api_(api), seed_(options.seed), manager_(std::move(options), api, api.executor(), nullptr, metrics_, health_) {
  manager_.add(controllers::cloneset::registration());
  manager_.add(controllers::podreadiness::registration());
}

std::string Controllers::complaint() const {
  for (const auto& check : health_.all()) {
    if (check.failure) return check.name + ": " + *check.failure;
  }
  return {};
}

std::optional<runtime::Plan> Controllers::plan(const std::string& kind, const api::Key& key) {
  runtime::ControllerLoop* controller = manager_.controller(controller_of(kind));
  if (controller == nullptr) throw Refused("the server has no kind \"" + kind + "\": its CustomResourceDefinition is not there");
  const auto function = controller->reconciler().observe(key);
  if (!function) return std::nullopt;
  return (*function)({.now = api_.executor().clock().now(), .gates = &manager_.gates(), .random = base::Random(seed_)});
}

std::string Controllers::metrics() {
  manager_.publish_metrics();
  return metrics_.text();
}

}  // namespace kruise::session
