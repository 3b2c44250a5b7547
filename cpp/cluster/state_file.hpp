// Objects kept in a file over restarts: one line a write, rewritten in one piece when it has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>

#include "cluster/storage.hpp"

namespace kruise::cluster {

/// Not thread-safe: `record` is called under the storage lock, `load` before anything else.
class StateFile {
 public:
  /// Throws std::runtime_error naming file and line when the file cannot be read or written. An absent file is an empty cluster.
  explicit StateFile(std::string path);
  /// Restores every object with its version.
  void load(Storage&);
  void record(const StorageEvent&);

 private:
  void rewrite();

  const std::string path_;
  std::map<std::string, std::string> lines_;  // the newest line of each object, by group, plural and path
  std::uint64_t version_ = 0;
  std::size_t appended_bytes_ = 0;
  std::size_t rewritten_bytes_ = 0;
  std::ofstream file_;
};

}  // namespace kruise::cluster
