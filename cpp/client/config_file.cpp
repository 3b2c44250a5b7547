#include "client/config_file.hpp"

#include <curl/curl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

namespace kruise::client {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

bool has_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  const bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK && text != nullptr && *text != '\0';
  curl_free(text);
  return has;
}

}  // namespace

base::Result<std::string, ConfigError> read_config_file(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return ConfigError{path + ": " + std::strerror(errno)};
  if (S_ISDIR(info.st_mode)) return ConfigError{path + ": is a directory"};
  if (static_cast<std::size_t>(info.st_size) > kConfigFileBytesMax) return ConfigError{path + ": is larger than 4 MiB"};
  std::ifstream file(path, std::ios::binary);
  if (!file) return ConfigError{path + ": " + std::strerror(errno)};
  std::ostringstream content;
  content << file.rdbuf();
  std::string text = std::move(content).str();
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

std::string normalize_server(Config& config) {
  std::string& server = config.server;
  if (server.empty()) return "the cluster has no server";
  if (server.find("://") == std::string::npos) {
    const bool tls = !config.ca.empty() || config.insecure || !config.client_certificate.empty();
    server = (tls ? "https://" : "http://") + server;
  }
  while (server.back() == '/') server.pop_back();
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  const bool known_scheme = server.starts_with("https://") || server.starts_with("http://");
  if (!known_scheme || curl_url_set(url.get(), CURLUPART_URL, server.c_str(), 0) != CURLUE_OK ||
      !has_part(url.get(), CURLUPART_HOST)) {
    return "server \"" + server + "\" is no http or https URL";
  }
  if (has_part(url.get(), CURLUPART_QUERY) || has_part(url.get(), CURLUPART_FRAGMENT) || has_part(url.get(), CURLUPART_USER)) {
    return "the server's URL must have no user, query or fragment";
  }
  return "";
}

}  // namespace kruise::client
