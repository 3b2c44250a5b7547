// Certificates made on the spot, and a folder for files of a test.
#pragma once

#include <filesystem>
#include <string>

namespace kruise::client::test {

struct KeyPair {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

/// A self-signed certificate, valid for localhost and 127.0.0.1 and for `extra_name`; its own authority.
KeyPair make_key_pair(const std::string& extra_name = "kruise.test");

/// A folder that is removed with the object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] std::string path(const std::string& name = "") const { return (path_ / name).string(); }
  /// Writes a file (folders are made) and returns its path.
  std::string write(const std::string& name, const std::string& content, bool executable = false) const;
  [[nodiscard]] std::string read(const std::string& name) const;

 private:
  std::filesystem::path path_;
};

}  // namespace kruise::client::test
