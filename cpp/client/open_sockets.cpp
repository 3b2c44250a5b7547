#include "client/open_sockets.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace kruise::client {
namespace {

// A peer that is gone is noticed within this, sending or idle.
constexpr int kUnansweredMs = 30'000;

int local_port_of(curl_socket_t socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

}  // namespace

int set_up_socket(void*, curl_socket_t socket, curlsocktype) {
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);  // credential programs do not inherit it
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnansweredMs, sizeof kUnansweredMs);
  return CURL_SOCKOPT_OK;
}

void OpenSockets::attach(CURL* handle) {
  curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, opened);
  curl_easy_setopt(handle, CURLOPT_SOCKOPTDATA, this);
  curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, close);
  curl_easy_setopt(handle, CURLOPT_CLOSESOCKETDATA, this);
}

void OpenSockets::shut_down(int local_port) const {
  for (const curl_socket_t socket : sockets_) {
    if (local_port != 0 && local_port_of(socket) == local_port) ::shutdown(socket, SHUT_RDWR);
  }
}

int OpenSockets::opened(void* self, curl_socket_t socket, curlsocktype type) {
  static_cast<OpenSockets*>(self)->sockets_.insert(socket);
  return set_up_socket(nullptr, socket, type);
}

int OpenSockets::close(void* self, curl_socket_t socket) {
  static_cast<OpenSockets*>(self)->sockets_.erase(socket);
  return ::close(socket);
}

}  // namespace kruise::client
