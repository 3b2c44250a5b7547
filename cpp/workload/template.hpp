// Pod templates, read once and shared: compared, diffed, and taken apart for building pods.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/meta.hpp"
#include "api/revision.hpp"
#include "base/result.hpp"
#include "workload/in_place.hpp"

namespace kruise::workload {

/// Immutable.
class Template {
 public:
  /// Empty text is an empty template. The error says what is wrong with the text.
  [[nodiscard]] static base::Result<std::shared_ptr<const Template>, std::string> parse(std::string text);
  Template(const Template&) = delete;
  Template& operator=(const Template&) = delete;
  ~Template();

  /// As it was given: what pods are built from.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const nlohmann::json& tree() const { return *tree_; }
  /// The data that a revision of this template holds, and what revisions are named by.
  [[nodiscard]] const std::string& revision_data() const { return revision_data_; }
  /// Of the metadata.
  [[nodiscard]] const api::StringMap& labels() const { return labels_; }
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& images() const { return images_; }
  /// Which of its labels and annotations containers take variables from.
  [[nodiscard]] const TemplateEnv& metadata_env() const { return metadata_env_; }
  /// `topologyKey` of each topology spread constraint.
  [[nodiscard]] const std::vector<std::string>& topology_keys() const { return topology_keys_; }
  [[nodiscard]] bool has_containers() const { return has_containers_; }

  /// Makes the same pods as `stored`, whose writer knew Kubernetes up to `level` (absent: everything), defaults counted.
  [[nodiscard]] bool same_as(const Template& stored, std::optional<std::int32_t> level) const;
  /// What leads from `stored` (of a revision whose writer knew up to `level`) to this in place, or why that is impossible:
  /// `spec.containers[0].env differs`. Only images of containers with the same name at the same place, and metadata, may differ.
  [[nodiscard]] base::Result<InPlaceChange, std::string> change_from(const Template& stored,
                                                                     std::optional<std::int32_t> level) const;

 private:
  Template();

  std::string text_;
  std::string revision_data_;
  std::unique_ptr<nlohmann::json> tree_;    // as given
  std::unique_ptr<nlohmann::json> normal_;  // normal form
  std::unique_ptr<nlohmann::json> full_;    // normal form, defaults filled in
  api::StringMap labels_;
  std::map<std::string, std::string, std::less<>> images_;
  TemplateEnv metadata_env_;
  std::vector<std::string> topology_keys_;
  bool has_containers_ = false;
};
using TemplatePtr = std::shared_ptr<const Template>;

/// Remembers parsed templates by their text, since every pass of a workload meets the same few. Any thread.
class TemplateCache {
 public:
  /// Past this the cache begins anew.
  static constexpr std::size_t kTemplatesMax = 4096;

  [[nodiscard]] base::Result<TemplatePtr, std::string> of_text(std::string_view text);
  [[nodiscard]] base::Result<TemplatePtr, std::string> of_revision(const api::Revision&);

 private:
  enum class Source : bool { kTemplate, kRevisionData };
  struct Entry {
    Source source;
    std::string key;
    TemplatePtr parsed;
  };
  [[nodiscard]] base::Result<TemplatePtr, std::string> find_or_parse(Source, std::string_view);

  std::mutex mutex_;  // guards entries_
  std::unordered_map<std::uint64_t, Entry> entries_;
};

}  // namespace kruise::workload
