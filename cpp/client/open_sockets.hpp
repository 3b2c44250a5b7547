// The sockets that libcurl has open for requests, so that one that is dead without a sign can be ended.
#pragma once

#include <curl/curl.h>

#include <unordered_set>

namespace kruise::client {

/// One thread; outlives every handle it is attached to and their connections.
class OpenSockets {
 public:
  OpenSockets() = default;
  OpenSockets(const OpenSockets&) = delete;
  OpenSockets& operator=(const OpenSockets&) = delete;

  /// Connections that the handle opens are known from now on.
  void attach(CURL* handle);
  /// Ends the connection with that local port; libcurl finds it closed, fails what shares it and drops it.
  void shut_down(int local_port) const;

 private:
  static int opened(void* self, curl_socket_t socket, curlsocktype);
  static int close(void* self, curl_socket_t socket);

  std::unordered_set<curl_socket_t> sockets_;
};

/// What every socket of ours is given, those of watches too. The form is that of CURLOPT_SOCKOPTFUNCTION.
int set_up_socket(void*, curl_socket_t, curlsocktype);

}  // namespace kruise::client
