#include "cluster/gc/served_kinds.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "base/lifetime.hpp"

namespace kruise::cluster::gc {
namespace {

using nlohmann::json;

/// One round of discovery: the groups, then each group's preferred version.
class Inquiry {
 public:
  using Done = std::function<void(std::optional<std::vector<api::Resource>>)>;
  Inquiry(client::Client& client, Done done) : client_(client), done_(std::move(done)) {}

  void start() {
    ask("/apis", [this](const json& groups) {
      waiting_ = 1;
      for (const auto& group : groups.value("groups", json::array())) {
        const std::string name = group.at("name");
        const std::string version = group.at("preferredVersion").at("version");
        ++waiting_;
        ask("/apis/" + name + "/" + version, [this, name, version](const json& list) { take(name, version, list); });
      }
      ask("/api/v1", [this](const json& list) { take("", "v1", list); });
    });
  }

 private:
  void ask(std::string path, std::function<void(const json&)> then) {
    client::Request request;
    request.path = std::move(path);
    client_.send(std::move(request), life_.bind([this, then = std::move(then)](const client::Outcome& outcome) {
      if (!done_) return;  // failed already
      const json body = outcome ? json::parse(outcome->body, nullptr, false) : json();
      try {
        if (!body.is_object()) return finish(false);
        then(body);
      } catch (const json::exception&) {
        finish(false);
      }
    }));
  }

  void take(const std::string& group, const std::string& version, const json& list) {
    for (const auto& item : list.value("resources", json::array())) {
      const std::string plural = item.at("name");
      const json& verbs = item.at("verbs");
      const auto has = [&](const char* verb) { return std::find(verbs.begin(), verbs.end(), verb) != verbs.end(); };
      if (plural.find('/') != std::string::npos || !has("list") || !has("watch") || !has("delete")) continue;
      const auto scope = item.at("namespaced").get<bool>() ? api::Scope::kNamespaced : api::Scope::kCluster;
      kinds_.push_back({group, version, item.at("kind"), plural, scope});
    }
    if (--waiting_ == 0) finish(true);
  }

  /// May destroy this object.
  void finish(bool complete) {
    const Done done = std::move(done_);
    done_ = nullptr;
    if (complete) {
      done(std::move(kinds_));
    } else {
      done(std::nullopt);
    }
  }

  client::Client& client_;
  Done done_;
  std::vector<api::Resource> kinds_;
  int waiting_ = 0;
  base::Lifetime life_;
};

}  // namespace

std::shared_ptr<void> ask_served_kinds(client::Client& client,
                                       std::function<void(std::optional<std::vector<api::Resource>>)> done) {
  auto inquiry = std::make_shared<Inquiry>(client, std::move(done));
  inquiry->start();
  return inquiry;
}

}  // namespace kruise::cluster::gc
