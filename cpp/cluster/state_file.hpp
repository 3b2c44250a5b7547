// Objects kept in a file over restarts: one line a write, rewritten in one piece when it has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "cluster/fields/owners.hpp"
#include "cluster/storage.hpp"

namespace kruise::cluster {

/// The file belongs to one process at a time. A write is in it, as far as the operating system goes, when `record` returns: it
/// outlives this process, however that ends, but not a loss of power. `load` comes before anything else, `record` under the
/// storage lock; `failure` may be called from any thread.
class StateFile {
 public:
  /// Opens the file, or makes it, and keeps others out. Throws std::runtime_error naming the file when that cannot be.
  explicit StateFile(const std::string& path);
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  /// Restores every object with its version; an empty file is an empty cluster. Returns the newest version, 0 when there was
  /// none. Throws std::runtime_error naming file and line when the file is not of this kind or damaged, and leaves it as it is. A
  /// last line that was cut off is forgotten: nobody was told that it was written.
  std::uint64_t load(Storage&, fields::FieldTexts&);
  void record(const StorageEvent&);
  /// Why the newest writes are not in the file: one line, empty when they are. The next write tries to bring the file up to date.
  [[nodiscard]] std::string failure() const;

 private:
  void read_line(std::string_view line, std::size_t number);
  void append(std::string_view line);
  /// Throws std::runtime_error when it cannot be done; the file then is as before.
  void rewrite();

  const std::string path_;
  int file_ = -1;
  std::map<std::string, std::string> lines_;  // the newest line of each object, by group, plural and path
  std::uint64_t version_ = 0;
  std::size_t appended_bytes_ = 0;
  std::size_t rewritten_bytes_ = 0;
  mutable std::mutex mutex_;  // guards the one below
  std::string failure_;
};

}  // namespace kruise::cluster
