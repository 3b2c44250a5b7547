#include "runtime/http_listener.hpp"

#include <httplib.h>

#include <charconv>

#include "base/log.hpp"
#include "base/thread.hpp"

namespace kruise::runtime {
namespace {

/// Connections served at once; a probe, a scraper and a person are far fewer. Further ones wait.
constexpr std::size_t kThreads = 4;
constexpr time_t kKeepAliveS = 1;
constexpr time_t kReadTimeoutS = 5;

}  // namespace

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find(':') != std::string_view::npos) return std::nullopt;
  int port = 0;
  const auto read = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (read.ec != std::errc{} || read.ptr != port_text.data() + port_text.size() || port < 0 || port > 65535) return std::nullopt;
  return ListenAddress{std::string(host), port};
}

struct HttpListener::Impl {
  Handler handler;
  httplib::Server server;
  int port = 0;
  base::Signal ended;
  std::unique_ptr<base::Thread> thread;

  bool bind(const std::string& host, int wanted) {
    if (wanted == 0) {
      port = server.bind_to_any_port(host);
      return port > 0;
    }
    port = wanted;
    return server.bind_to_port(host, wanted);
  }
};

base::Result<std::unique_ptr<HttpListener>, std::string> HttpListener::listen(const ListenAddress& address, Handler handler,
                                                                              std::function<void()> on_death) {
  auto impl = std::make_unique<Impl>();
  impl->handler = std::move(handler);
  httplib::Server& server = impl->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };  // httplib deletes it
  server.set_keep_alive_timeout(kKeepAliveS);
  server.set_read_timeout(kReadTimeoutS);
  server.set_socket_options([](socket_t socket) {  // no SO_REUSEPORT: a port in use is an error
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  server.Get(".*", [&handler = impl->handler](const httplib::Request& request, httplib::Response& response) {
    const HttpReply reply = handler({request.path, {request.params.begin(), request.params.end()}});
    response.status = reply.code;
    response.set_content(reply.body, reply.content_type);
  });
  const bool bound = address.host.empty() ? impl->bind("::", address.port) || impl->bind("0.0.0.0", address.port)
                                          : impl->bind(address.host, address.port);
  if (!bound) return "cannot listen on " + address.host + ":" + std::to_string(address.port) + ": the port is in use or not ours";
  impl->thread = std::make_unique<base::Thread>(
      "http", [&server, port = impl->port, &ended = impl->ended, on_death = std::move(on_death)](const std::stop_token& stop) {
        static_cast<void>(server.listen_after_bind());
        if (!stop.stop_requested()) {
          base::log::error("a listener ended", {{"port", port}});
          if (on_death) on_death();
        }
        ended.set();
      });
  return std::unique_ptr<HttpListener>(new HttpListener(std::move(impl)));
}

HttpListener::HttpListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpListener::~HttpListener() {
  impl_->thread->request_stop();
  while (!impl_->server.is_running() && !impl_->ended.wait_for(std::chrono::milliseconds(1))) {
  }  // a stop before the start would be lost
  impl_->server.stop();
}

int HttpListener::port() const { return impl_->port; }

}  // namespace kruise::runtime
