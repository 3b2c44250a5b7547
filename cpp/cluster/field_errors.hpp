// What is wrong with an object, field by field, in the words of Kubernetes.
#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "client/error.hpp"

namespace kruise::cluster {

/// Collects the causes of one 422 answer, in the order found.
class FieldErrors {
 public:
  void required(std::string field, std::string_view detail);
  void invalid(std::string field, const nlohmann::json& value, std::string_view detail);
  /// `shown` is printed as it stands.
  void invalid_text(std::string field, std::string_view shown, std::string_view detail);
  void type_invalid(std::string field, const nlohmann::json& value, std::string_view detail);
  void not_supported(std::string field, const nlohmann::json& value, const std::vector<std::string>& supported);
  void duplicate(std::string field, const nlohmann::json& value);
  void not_found(std::string field, const nlohmann::json& value);
  void forbidden(std::string field, std::string_view detail);
  void too_long(std::string field, std::size_t bytes_max);
  void too_long_text(std::string field, std::string_view shown);
  void too_many(std::string field, std::size_t count, std::size_t count_max);
  void append(client::Cause cause) { causes_.push_back(std::move(cause)); }
  void internal(std::string field, std::string_view detail);

  [[nodiscard]] bool empty() const { return causes_.empty(); }
  [[nodiscard]] const std::vector<client::Cause>& causes() const { return causes_; }
  /// "a: Required value" or "[a: Required value, b: ...]"; the same text twice appears once.
  [[nodiscard]] std::string text() const;

 private:
  void add(std::string field, std::string_view reason, std::string message);

  std::vector<client::Cause> causes_;
};

/// A value as Kubernetes prints it in such a message: strings quoted, numbers and booleans plain, the rest as JSON.
[[nodiscard]] std::string shown(const nlohmann::json& value);

/// `a` and `b` joined by a dot; `a[3]`.
[[nodiscard]] std::string child(std::string_view path, std::string_view name);
[[nodiscard]] std::string index(std::string_view path, std::size_t i);
[[nodiscard]] std::string entry(std::string_view path, std::string_view key);

}  // namespace kruise::cluster
