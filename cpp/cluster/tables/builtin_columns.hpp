// The columns of built-in kinds.
#pragma once

#include <string_view>
#include <vector>

#include "cluster/tables/columns.hpp"

namespace kruise::cluster {

/// By group and plural; empty where nothing is known of the kind.
[[nodiscard]] std::vector<Column> builtin_columns(std::string_view group, std::string_view plural);

[[nodiscard]] std::vector<Column> pod_columns();                                                      // pod_columns.cpp
[[nodiscard]] std::vector<Column> core_columns(std::string_view plural);                              // core_columns.cpp
[[nodiscard]] std::vector<Column> workload_columns(std::string_view group, std::string_view plural);  // workload_columns.cpp

// What columns are made of.
[[nodiscard]] Column name_column();
[[nodiscard]] Column age_column();
/// The text at a JSON path; `otherwise` when there is none.
[[nodiscard]] Column text_column(std::string name, std::string_view path, std::string otherwise = {}, int priority = 0);
/// The number at a JSON path, 0 when there is none.
[[nodiscard]] Column count_column(std::string name, std::string_view path);
/// Names and images of the containers of a pod template, and a selector, for -o wide.
[[nodiscard]] Column containers_column();
[[nodiscard]] Column images_column();
[[nodiscard]] Column selector_column(std::string_view path);

}  // namespace kruise::cluster
