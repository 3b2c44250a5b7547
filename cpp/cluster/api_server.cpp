#include "cluster/api_server.hpp"

#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "cluster/builtin/builtin_kind.hpp"
#include "cluster/context.hpp"
#include "cluster/crd/definitions.hpp"
#include "cluster/discovery.hpp"
#include "cluster/json_text.hpp"
#include "cluster/state_file.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/verbs.hpp"
#include "cluster/yaml_text.hpp"

namespace kruise::cluster {

namespace {

/// Repeats the events of another storage, the last few later.
class Lagging final : public Storage::Follower {
 public:
  explicit Lagging(Storage& behind) : behind_(behind) {}

  void on_event(const Table& table, const LoggedEvent& event) override {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(&table, event);
    leave(lag_);
  }
  void set_lag(std::size_t writes) {
    const std::lock_guard lock(mutex_);
    lag_ = writes;
    leave(lag_);
  }
  void catch_up() {
    const std::lock_guard lock(mutex_);
    leave(0);
  }

 private:
  void leave(std::size_t count) {
    for (; waiting_.size() > count; waiting_.pop_front()) behind_.apply(*waiting_.front().first, waiting_.front().second);
  }

  Storage& behind_;
  std::mutex mutex_;  // guards everything below
  std::deque<std::pair<const Table*, LoggedEvent>> waiting_;
  std::size_t lag_ = 0;
};

}  // namespace

class ApiServer::Impl {
 public:
  explicit Impl(const Options& options)
      : context(*options.clock, options.seed, options.watch_history_events), definitions(context, options.conversions) {
    Storage& storage = context.storage();
    if (options.head != nullptr) {
      lagging = std::make_shared<Lagging>(storage);
      options.head->impl_->context.storage().replicate(storage, lagging);
    }
    if (!options.state_path.empty()) {
      state.emplace(options.state_path);
      const std::uint64_t version = state->load(storage, context.field_texts());
      // The same seed again would give out UIDs that objects in the file have, or had.
      context.reseed(options.seed + version);
      storage.observe([this](const StorageEvent& event) { state->record(event); });
    }
    std::vector<KindPtr> kinds;
    for (const BuiltinSpec& spec : builtin_specs()) {
      kinds.push_back(std::make_shared<BuiltinKind>(spec, storage.table(spec.names.group, spec.names.plural)));
    }
    kinds.push_back(definitions.kind());
    context.serve_all(std::move(kinds));
    definitions.reconcile();
    for (const std::string name : {"default", "kube-node-lease", "kube-public", "kube-system"}) {
      if (storage.get(storage.table("", "namespaces"), name)) continue;
      static_cast<void>(write_cluster_object("POST", "/api/v1/namespaces",
                                             R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" + name + "\"}}"));
    }
  }

  Response write_cluster_object(const char* method, std::string path, std::string body) {
    client::Request request{
        .method = method,
        .path = std::move(path),
        .content_type = std::string_view(method) == "PATCH" ? "application/merge-patch+json" : "application/json",
        .body = std::move(body),
        .user_agent = "kube-apiserver",
        .timeout = {}};
    return handle(request);
  }

  Response handle(const client::Request& request) {
    const RequestInfo info(request);
    const std::shared_ptr<const Catalog> catalog = context.catalog();
    if (info.resource.empty()) return discovery(*catalog, info, request);
    const KindPtr kind = catalog->find(info.group, info.version, info.resource);
    if (auto refusal = check_route(*catalog, kind, info, request.method)) return *refusal;
    Call call{.context = context, .request = request, .info = info, .kind = kind, .now = context.clock().now()};
    Response response = dispatch(call);
    if (response.code < 400 && request.method != "GET" && (kind == definitions.kind() || definitions.awaits(*kind)))
      definitions.reconcile();
    if (response.warnings.empty()) response.warnings = std::move(call.warnings);
    if (state && response.code < 400 && request.method != "GET") {
      // What is not in the file is not to be relied on: the client learns that the outcome is uncertain.
      if (std::string failure = state->failure(); !failure.empty()) return internal_error(std::move(failure));
    }
    return response;
  }

  Context context;
  Definitions definitions;
  std::optional<StateFile> state;
  std::shared_ptr<Lagging> lagging;  // null: this server is nobody's follower

  /// Routes of built-in kinds are fixed, so that a path off them is answered by their group; those of custom kinds fall through
  /// to where no path leads.
  static std::optional<Response> check_route(const Catalog& catalog, const KindPtr& kind, const RequestInfo& info,
                                             std::string_view method) {
    const auto nowhere = [](bool custom) { return custom ? no_such_path() : no_such_resource(); };
    if (!kind) return nowhere(!catalog.has_builtin(info.group, info.version));
    if (!kind->names().namespaced) return info.ns.empty() ? std::nullopt : std::optional(nowhere(kind->custom()));
    if (!info.ns.empty() || (info.name.empty() && method == "GET")) return std::nullopt;
    if (info.name.empty() && !kind->custom()) return kind->traits().listed ? std::optional(method_not_supported()) : std::nullopt;
    return nowhere(kind->custom());
  }

 private:
  static Response dispatch(Call& call) {
    const std::string& method = call.request.method;
    const KindTraits& traits = call.kind->traits();
    if (auto refusal = judge_write_options(call)) return *refusal;
    if (!traits.listed) return method == "POST" ? review(call) : method_not_supported();
    if (!call.info.subresource.empty()) return dispatch_subresource(call);
    if (call.info.name.empty()) {
      if (method == "GET") return list(call);
      if (method == "POST") return create(call);
      if (method == "DELETE") return remove_collection(call);
      return method_not_supported();
    }
    if (method == "GET") return get(call);
    if (method == "PUT") return update(call);
    if (method == "PATCH") return patch(call);
    if (method == "DELETE") return remove(call);
    return method_not_supported();
  }

  static Response dispatch_subresource(Call& call) {
    const std::string& method = call.request.method;
    const std::string& what = call.info.subresource;
    const KindTraits& traits = call.kind->traits();
    const bool writes = method == "GET" || method == "PUT" || method == "PATCH";
    if (what == "status" && traits.status) {
      if (!writes) return method_not_supported();
      if (method == "GET") return get(call);
      return method == "PUT" ? update_status(call) : patch(call);
    }
    if (what == "scale" && traits.scale) return writes ? scale(call) : method_not_supported();
    if (what == "finalize" && call.kind->names().plural == "namespaces" && call.kind->names().group.empty()) {
      return method == "PUT" ? finalize_namespace(call) : method_not_supported();
    }
    if (call.kind->names().plural == "pods" && call.kind->names().group.empty()) return pod_subresource(call);
    if (what == "token" && call.kind->names().plural == "serviceaccounts" && call.kind->names().group.empty())
      return account_token(call);
    return call.kind->custom() ? not_found(call.subject()) : no_such_resource();
  }
};

ApiServer::ApiServer(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
ApiServer::~ApiServer() = default;
const base::Clock& ApiServer::clock() const { return impl_->context.clock(); }

client::Response ApiServer::handle(const client::Request& request) { return impl_->handle(request); }

bool ApiServer::is_watch(const client::Request& request) {
  if (request.method != "GET" || request.path.find("watch") == std::string::npos) return false;
  const RequestInfo info(request);
  return info.name.empty() && info.query.flag("watch");
}

base::Result<std::unique_ptr<ApiServer::Stream>, client::Response> ApiServer::watch(const client::Request& request) {
  RequestInfo info(request);
  const std::shared_ptr<const Catalog> catalog = impl_->context.catalog();
  const KindPtr kind = catalog->find(info.group, info.version, info.resource);
  if (auto refusal = Impl::check_route(*catalog, kind, info, request.method)) return *refusal;
  if (!kind->traits().listed) return method_not_supported();
  Call call{.context = impl_->context, .request = request, .info = info, .kind = kind, .now = impl_->context.clock().now()};
  return cluster::watch(call);
}

void ApiServer::install_crd(std::string_view text) {
  const auto documents = parse_yaml_documents(text);
  if (!documents) throw std::invalid_argument("the CustomResourceDefinition cannot be read: " + documents.error());
  for (const Json& document : *documents) {
    if (text_of(document, "kind") != "CustomResourceDefinition") {
      throw std::invalid_argument("kind: expected CustomResourceDefinition, found \"" + std::string(text_of(document, "kind")) +
                                  "\"");
    }
    const std::string path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    Response response = impl_->write_cluster_object("POST", path, json_text(document));
    if (response.code == 409) {  // from the state file, perhaps of an older release
      const std::string name(text_of(document.at("metadata"), "name"));
      response = impl_->write_cluster_object("PATCH", path + "/" + name, json_text(document));
    }
    if (response.code >= 400) throw std::invalid_argument(response.body);
  }
}

void ApiServer::observe_writes(std::function<void(const StorageEvent&)> observer) {
  impl_->context.storage().set_checker(std::move(observer));
}

void ApiServer::set_lag(std::size_t writes) {
  if (impl_->lagging) impl_->lagging->set_lag(writes);
}

void ApiServer::catch_up() {
  if (impl_->lagging) impl_->lagging->catch_up();
}

}  // namespace kruise::cluster
