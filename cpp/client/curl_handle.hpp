// libcurl's easy handle with everything set that all exchanges share.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "client/client.hpp"
#include "client/config.hpp"
#include "client/credentials.hpp"

namespace kruise::client {

/// Where requests go, derived once from a Config.
struct Target {
  explicit Target(const Config&);

  Config config;  // without credentials: those come from Credentials
  std::string base_url;
  std::string host;         // "10.0.0.1:6443"
  std::string who;          // the same for people, with the proxy on the way there
  std::string host_header;  // set when the URL's host is the name to verify instead of the server's
  std::string connect_to;   // the same case: where to connect really
  std::string ca_file;      // when the configuration has no authority of its own
};

/// Calls of libcurl; `self` is what was given to `prepare`. Each returns what libcurl's callbacks return.
struct CurlCallbacks {
  std::size_t (*write)(char* data, std::size_t size, std::size_t count, void* self);
  std::size_t (*read)(char* data, std::size_t size, std::size_t count, void* self);
  /// A connection is there, new or shared, and the request goes out on it next. Null: not told.
  int (*connected)(void* self, char* to, char* from, int to_port, int from_port);
};

class CurlHandle {
 public:
  CurlHandle();
  CurlHandle(CurlHandle&&) = default;
  CurlHandle& operator=(CurlHandle&&) = default;

  /// Sets the handle up for one exchange; `request` must live as long as it.
  void prepare(const Target&, const Credentials::Current&, const Request& request, std::string_view user_agent,
               const CurlCallbacks&, void* self);
  /// Of requests: share connections over HTTP/2 where the server can.
  void share_connections(bool http1, base::Duration timeout);
  /// Of watches: a connection of one's own, closed at the end, and no limit of time.
  void own_connection();

  [[nodiscard]] CURL* get() const { return handle_.get(); }
  [[nodiscard]] int code() const;
  /// Whether the answer's header came to its end: libcurl takes a cut one for an answer without a body.
  [[nodiscard]] bool header_complete() const { return state_->header_complete; }
  [[nodiscard]] int http_version() const;  // 1 or 2; 0 before an answer
  [[nodiscard]] std::string content_type() const;
  [[nodiscard]] std::optional<base::Duration> retry_after() const;
  /// A proxy would not lead to the server.
  [[nodiscard]] bool proxy_refused() const;
  /// libcurl's words for a failure.
  [[nodiscard]] std::string problem(CURLcode) const;

 private:
  struct Cleanup {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  struct State {
    std::array<char, CURL_ERROR_SIZE> error{};
    bool header_complete = false;
  };
  static std::size_t take_header(char* data, std::size_t size, std::size_t count, void* state);
  void add_header(const std::string& line);
  void set_tls(const Target&, const Credentials::Current&);
  void set_method(const Request&);

  std::unique_ptr<CURL, Cleanup> handle_;
  std::unique_ptr<curl_slist, Cleanup> headers_;
  std::unique_ptr<curl_slist, Cleanup> connect_to_;
  std::unique_ptr<State> state_;  // libcurl holds its address
};

}  // namespace kruise::client
