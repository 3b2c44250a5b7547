// Who owns whom, as far as the watches have told.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace kruise::cluster::gc {

struct Owner {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;
  bool blocks = false;  // blockOwnerDeletion
  [[nodiscard]] std::string_view group() const {
    const auto slash = api_version.find('/');
    return slash == std::string::npos ? std::string_view{} : std::string_view(api_version).substr(0, slash);
  }
  bool operator==(const Owner&) const = default;
};

struct Node {
  std::size_t kind = 0;  // number of the resource
  std::string ns, name, uid;
  std::uint64_t version = 0;
  bool deleting = false;
  std::vector<std::string> finalizers;
  std::vector<Owner> owners;
  bool busy = false;  // a request about it is under way

  [[nodiscard]] bool has_finalizer(std::string_view) const;
};

/// Reads metadata into all but `kind` and `busy`; padding as for sim::Sink::seen. False when the text is no object.
[[nodiscard]] bool read(std::string_view json, Node& out);

class Graph {
 public:
  /// An object as it is now. Returns its node.
  Node& put(Node);
  /// It is gone; its UID is remembered for a while.
  void erase(const std::string& uid);
  [[nodiscard]] Node* find(const std::string& uid);
  /// UIDs of objects that name this one as an owner, in order.
  [[nodiscard]] std::vector<std::string> dependents(const std::string& uid) const;
  /// Seen to go: no need to ask the server.
  void note_deleted(const std::string& uid);
  [[nodiscard]] bool was_deleted(const std::string& uid) const { return deleted_.contains(uid); }
  [[nodiscard]] std::vector<std::string> in_namespace(std::string_view ns) const;
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

 private:
  static constexpr std::size_t kDeletedMax = 200'000;  // then forgotten at once: the server is asked instead
  std::unordered_map<std::string, Node> nodes_;
  std::unordered_map<std::string, std::set<std::string>> dependents_;  // owner -> dependents, by UID
  std::map<std::string, std::set<std::string>, std::less<>> namespaces_;
  std::unordered_set<std::string> deleted_;
};

}  // namespace kruise::cluster::gc
