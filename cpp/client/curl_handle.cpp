#include "client/curl_handle.hpp"

#include <new>

#include "client/open_sockets.hpp"
#include "client/proxy.hpp"

namespace kruise::client {
namespace {

constexpr long kConnectTimeoutMs = 10'000;
constexpr long kKeepAliveIdleS = 15;
constexpr long kKeepAliveEveryS = 5;
constexpr long kUploadBufferBytes = 16L << 10U;  // the least; each request in flight has one, and patches are small

/// libcurl must be set up before the first handle, once in a process.
bool set_up_curl() {
  static const bool done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return done;
}

std::string url_part(const std::string& url, CURLUPart part) {
  CURLU* parsed = curl_url();
  std::string value;
  char* text = nullptr;
  if (curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(parsed, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK) {
    value = text;
  }
  curl_free(text);
  curl_url_cleanup(parsed);
  return value;
}

void set_blob(CURL* handle, CURLoption option, const std::string& text) {
  // The text outlives the exchange or is copied by libcurl with its handle; a copy is small against a handshake.
  curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
  curl_easy_setopt(handle, option, &blob);
}

/// In Go, whose meaning a kubeconfig has, a SOCKS proxy is given the server's name; libcurl would look it up itself.
std::string libcurl_proxy(const std::string& url) { return url.starts_with("socks5:") ? "socks5h" + url.substr(6) : url; }

}  // namespace

Target::Target(const Config& source) : config(source), base_url(source.server) {
  config.token.clear();
  config.password.clear();
  config.client_key.clear();
  const std::string server_host = url_part(source.server, CURLUPART_HOST);
  const std::string port = url_part(source.server, CURLUPART_PORT);
  host = server_host + ":" + port;
  who = source.proxy_url.empty() ? host : host + " through proxy " + proxy_host(source.proxy_url);
  config.proxy_url = libcurl_proxy(source.proxy_url);
  if (!source.tls_server_name.empty()) {
    const std::string path = url_part(source.server, CURLUPART_PATH);
    base_url = "https://" + source.tls_server_name + ":" + port + (path == "/" ? "" : path);
    host_header = host;
    connect_to = source.tls_server_name + ":" + port + ":" + host;
  }
  if (source.ca.empty()) ca_file = system_ca_file();
}

CurlHandle::CurlHandle() : state_(std::make_unique<State>()) {
  if (set_up_curl()) handle_.reset(curl_easy_init());
  if (!handle_) throw std::bad_alloc();
}

void CurlHandle::prepare(const Target& target, const Credentials::Current& credentials, const Request& request,
                         std::string_view user_agent, const CurlCallbacks& callbacks, void* self) {
  CURL* h = handle_.get();
  curl_easy_reset(h);
  headers_.reset();
  *state_ = State{};
  curl_easy_setopt(h, CURLOPT_ERRORBUFFER, state_->error.data());
  curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(h, CURLOPT_HEADERDATA, state_.get());
  curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(h, CURLOPT_URL, (target.base_url + request.path).c_str());
  curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
  // Also when there is none: libcurl would read the environment in its own way.
  curl_easy_setopt(h, CURLOPT_PROXY, target.config.proxy_url.c_str());
  curl_easy_setopt(h, CURLOPT_NOPROXY, "");
  curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  connect_to_.reset(target.connect_to.empty() ? nullptr : curl_slist_append(nullptr, target.connect_to.c_str()));
  curl_easy_setopt(h, CURLOPT_CONNECT_TO, connect_to_.get());
  curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(h, CURLOPT_TCP_KEEPIDLE, kKeepAliveIdleS);
  curl_easy_setopt(h, CURLOPT_TCP_KEEPINTVL, kKeepAliveEveryS);
  curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
  curl_easy_setopt(h, CURLOPT_SOCKOPTFUNCTION, set_up_socket);
  curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, callbacks.write);
  curl_easy_setopt(h, CURLOPT_WRITEDATA, self);
  curl_easy_setopt(h, CURLOPT_READFUNCTION, callbacks.read);
  curl_easy_setopt(h, CURLOPT_READDATA, self);
  curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, callbacks.connected);
  curl_easy_setopt(h, CURLOPT_PREREQDATA, self);
  curl_easy_setopt(h, CURLOPT_PRIVATE, self);

  if (!target.host_header.empty()) add_header("Host: " + target.host_header);
  if (!credentials.authorization.empty()) add_header("Authorization: " + credentials.authorization);
  add_header("Accept: " + request.accept);
  add_header("User-Agent: " + std::string(user_agent));
  const Impersonation& as = target.config.impersonate;
  if (!as.user.empty()) add_header("Impersonate-User: " + as.user);
  if (!as.uid.empty()) add_header("Impersonate-Uid: " + as.uid);
  for (const std::string& group : as.groups) add_header("Impersonate-Group: " + group);
  for (const auto& [key, value] : as.extra) add_header("Impersonate-Extra-" + key + ": " + value);
  set_tls(target, credentials);
  set_method(request);
  curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers_.get());
}

std::size_t CurlHandle::take_header(char* data, std::size_t size, std::size_t count, void* state) {
  // Several headers may come (100, a proxy's), and trailers after the body.
  const std::string_view line(data, size * count);
  bool& complete = static_cast<State*>(state)->header_complete;
  if (line.starts_with("HTTP/")) complete = false;
  if (line == "\r\n") complete = true;
  return size * count;
}

void CurlHandle::add_header(const std::string& line) {
  // A line break in a value would be a header of its own.
  if (line.find_first_of("\r\n") != std::string::npos) return;
  curl_slist* list = curl_slist_append(headers_.get(), line.c_str());
  if (list == nullptr) throw std::bad_alloc();
  (void)headers_.release();
  headers_.reset(list);
}

void CurlHandle::set_tls(const Target& target, const Credentials::Current& credentials) {
  CURL* h = handle_.get();
  curl_easy_setopt(h, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  // A proxy that speaks TLS is judged as the server is, as in Go.
  if (target.config.insecure) {
    for (const auto option : {CURLOPT_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYPEER}) curl_easy_setopt(h, option, 0L);
    for (const auto option : {CURLOPT_SSL_VERIFYHOST, CURLOPT_PROXY_SSL_VERIFYHOST}) curl_easy_setopt(h, option, 0L);
  } else if (!target.config.ca.empty()) {
    for (const auto option : {CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH}) curl_easy_setopt(h, option, nullptr);
    for (const auto option : {CURLOPT_CAINFO_BLOB, CURLOPT_PROXY_CAINFO_BLOB}) set_blob(h, option, target.config.ca);
  } else if (!target.ca_file.empty()) {
    for (const auto option : {CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO}) curl_easy_setopt(h, option, target.ca_file.c_str());
  }
  if (!credentials.certificate.empty()) {
    set_blob(h, CURLOPT_SSLCERT_BLOB, credentials.certificate);
    set_blob(h, CURLOPT_SSLKEY_BLOB, credentials.key);
  }
}

void CurlHandle::set_method(const Request& request) {
  CURL* h = handle_.get();
  if (request.method == "GET" && request.body.empty()) return;
  curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.body.empty() && request.method == "DELETE") return;
  // Through the read callback and not as POSTFIELDS: a body that cannot be rewound is never sent twice by libcurl itself, which
  // repeats a request when a connection that it reused turns out closed.
  curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  add_header("Content-Type: " + (request.content_type.empty() ? std::string("application/json") : request.content_type));
  add_header("Expect:");
}

void CurlHandle::share_connections(bool http1, base::Duration timeout) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
  curl_easy_setopt(get(), CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<long long>(ms, 1)));
  curl_easy_setopt(get(), CURLOPT_HTTP_VERSION, http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS);
}

void CurlHandle::own_connection() {
  curl_easy_setopt(get(), CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(get(), CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(get(), CURLOPT_FORBID_REUSE, 1L);
}

int CurlHandle::code() const {
  long code = 0;
  curl_easy_getinfo(get(), CURLINFO_RESPONSE_CODE, &code);
  return static_cast<int>(code);
}

int CurlHandle::http_version() const {
  long version = 0;
  curl_easy_getinfo(get(), CURLINFO_HTTP_VERSION, &version);
  if (version == CURL_HTTP_VERSION_2_0) return 2;
  return version == CURL_HTTP_VERSION_1_1 || version == CURL_HTTP_VERSION_1_0 ? 1 : 0;
}

std::string CurlHandle::content_type() const {
  const char* type = nullptr;
  curl_easy_getinfo(get(), CURLINFO_CONTENT_TYPE, &type);
  return type == nullptr ? "" : type;
}

std::optional<base::Duration> CurlHandle::retry_after() const {
  curl_off_t seconds = 0;
  curl_easy_getinfo(get(), CURLINFO_RETRY_AFTER, &seconds);
  if (seconds <= 0) return std::nullopt;
  constexpr curl_off_t kRetryAfterMaxS = 3600;
  return std::chrono::seconds(std::min(seconds, kRetryAfterMaxS));
}

bool CurlHandle::proxy_refused() const {
  long code = 0;
  curl_easy_getinfo(get(), CURLINFO_HTTP_CONNECTCODE, &code);
  return code >= 300;
}

std::string CurlHandle::problem(CURLcode code) const {
  return state_->error[0] != '\0' ? state_->error.data() : curl_easy_strerror(code);
}

}  // namespace kruise::client
