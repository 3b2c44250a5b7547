// Pages of pods in a file, written by another process so that making them leaves no trace in the one that is measured.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

namespace kruise::bench {

constexpr std::uint32_t kPageObjects = 500;

/// Writes a list of `pods` pods, page by page.
void write_pages(const std::string& path, std::uint32_t pods);

/// A file in the temporary directory, gone with this object.
class PagesFile {
 public:
  explicit PagesFile(std::uint32_t pods);
  ~PagesFile();
  PagesFile(const PagesFile&) = delete;
  PagesFile& operator=(const PagesFile&) = delete;
  /// The next page as a client would hand it over, none after the last.
  [[nodiscard]] std::optional<std::string> next();

 private:
  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

}  // namespace kruise::bench
