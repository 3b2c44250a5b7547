#include "client/raw_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace kruise::client::test {

std::optional<Received> Connection::receive() {
  char bytes[65536];
  while (true) {
    const std::size_t end = buffer_.find("\r\n\r\n");
    if (end != std::string::npos) {
      Received request;
      request.head = buffer_.substr(0, end + 2);
      const std::size_t space = request.head.find(' ');
      request.method = request.head.substr(0, space);
      request.path = request.head.substr(space + 1, request.head.find(' ', space + 1) - space - 1);
      const std::size_t length_at = request.head.find("Content-Length: ");
      const std::size_t length =
          length_at == std::string::npos ? 0 : std::strtoul(request.head.c_str() + length_at + 16, nullptr, 10);
      if (buffer_.size() >= end + 4 + length) {
        request.body = buffer_.substr(end + 4, length);
        buffer_.erase(0, end + 4 + length);
        return request;
      }
    }
    const long count = read_some(bytes, sizeof bytes);
    if (count <= 0) return std::nullopt;
    buffer_.append(bytes, static_cast<std::size_t>(count));
  }
}

bool Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long count = write_some(bytes);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool Connection::answer(int code, std::string_view body, const std::string& headers) {
  return send("HTTP/1.1 " + std::to_string(code) + " X\r\nContent-Type: application/json\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n" + headers + "\r\n" + std::string(body));
}

bool Connection::begin_stream() {
  return send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
}

bool Connection::chunk(std::string_view bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return send(size + std::string(bytes) + "\r\n");
}

void Connection::wait_closed() {
  char byte = 0;
  while (read_some(&byte, 1) > 0) {
  }
}

long Connection::read_some(char* into, std::size_t size) const {
  return tls_ == nullptr ? ::recv(fd_, into, size, 0) : SSL_read(tls_, into, static_cast<int>(size));
}

long Connection::write_some(std::string_view bytes) const {
  return tls_ == nullptr ? ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                         : SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
}

void Connection::tunnel_to(int port) {
  const int other = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(other, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    std::array<pollfd, 2> sides{pollfd{fd_, POLLIN, 0}, pollfd{other, POLLIN, 0}};
    for (bool open = true; open && ::poll(sides.data(), sides.size(), -1) > 0;) {
      for (std::size_t from = 0; from < 2; ++from) {
        if (sides[from].revents == 0) continue;
        char bytes[65536];
        const ssize_t count = ::recv(sides[from].fd, bytes, sizeof bytes, 0);
        open = open && count > 0 && ::send(sides[1 - from].fd, bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL) == count;
      }
    }
  }
  ::close(other);
}

std::string Connection::peer_certificate() const {
  X509* certificate = tls_ == nullptr ? nullptr : SSL_get1_peer_certificate(tls_);
  if (certificate == nullptr) return "";
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  X509_free(certificate);
  return pem;
}

namespace {

std::shared_ptr<ssl_ctx_st> tls_of(const KeyPair& identity) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that are closed
  std::shared_ptr<ssl_ctx_st> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  BIO* certificate_bio = BIO_new_mem_buf(identity.certificate.data(), static_cast<int>(identity.certificate.size()));
  BIO* key_bio = BIO_new_mem_buf(identity.key.data(), static_cast<int>(identity.key.size()));
  X509* certificate = PEM_read_bio_X509(certificate_bio, nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
  const bool good = SSL_CTX_use_certificate(context.get(), certificate) == 1 && SSL_CTX_use_PrivateKey(context.get(), key) == 1;
  X509_free(certificate);
  EVP_PKEY_free(key);
  BIO_free(certificate_bio);
  BIO_free(key_bio);
  if (!good) throw std::runtime_error("the test's server has no usable certificate");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("test"), 4);
  return context;
}

}  // namespace

RawServer::RawServer(std::function<void(Connection&)> serve, const KeyPair& identity) : RawServer(std::move(serve)) {
  tls_ = tls_of(identity);  // nobody knows the port yet
}

RawServer::RawServer(std::function<void(Connection&)> serve) : serve_(std::move(serve)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_, 128) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot listen");
  }
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

RawServer::~RawServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
}

void RawServer::accept_all() {
  while (true) {
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    ++connections_;
    const std::lock_guard lock(mutex_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd] {
      serve_on(fd);
      const std::lock_guard guard(mutex_);
      std::erase(open_, fd);
      ::close(fd);
    });
  }
}

void RawServer::serve_on(int fd) {
  if (!tls_) {
    Connection connection(fd);
    return serve_(connection);
  }
  SSL* tls = SSL_new(tls_.get());
  SSL_set_fd(tls, fd);
  if (SSL_accept(tls) == 1) {
    Connection connection(fd, tls);
    serve_(connection);
    SSL_shutdown(tls);
  }
  SSL_free(tls);
}

}  // namespace kruise::client::test
