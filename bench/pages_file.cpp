#include "pages_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "client/client.hpp"
#include "harness.hpp"
#include "pods.hpp"

namespace kruise::bench {

void write_pages(const std::string& path, std::uint32_t pods) {
  std::ofstream out(path, std::ios::binary);
  for (std::uint32_t first = 0; first < pods; first += kPageObjects) {
    const std::uint32_t count = std::min(kPageObjects, pods - first);
    const bool last = first + count == pods;
    const std::string page = pod_page(first, count, pods + 1, last ? "" : "page-" + std::to_string(first));
    const std::uint64_t size = page.size();
    out.write(reinterpret_cast<const char*>(&size), sizeof size).write(page.data(), static_cast<std::streamsize>(size));
  }
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

PagesFile::PagesFile(std::uint32_t pods)
    : path_((std::filesystem::temp_directory_path() / ("kruise-bench-" + std::to_string(::getpid()))).string()),
      file_(nullptr, std::fclose) {
  run_self({"--write-pages", path_, std::to_string(pods)});
  file_.reset(std::fopen(path_.c_str(), "rb"));
  if (!file_) throw std::runtime_error("cannot read " + path_);
}

PagesFile::~PagesFile() { std::filesystem::remove(path_); }

std::optional<std::string> PagesFile::next() {
  std::uint64_t size = 0;
  if (std::fread(&size, sizeof size, 1, file_.get()) != 1) return std::nullopt;
  std::string page;
  page.reserve(size + client::Client::kPadding);
  page.resize(size);
  if (std::fread(page.data(), 1, size, file_.get()) != size) throw std::runtime_error("a page is cut short");
  return page;
}

}  // namespace kruise::bench
