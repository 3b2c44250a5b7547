#include "client/call.hpp"

#include <algorithm>

namespace kruise::client {
namespace {

std::size_t take_answer(char* data, std::size_t size, std::size_t count, void* self) {
  auto& call = *static_cast<Call*>(self);
  const std::size_t bytes = size * count;
  if (call.answer.size() + bytes > kBodyBytesMax) {
    call.too_large = true;
    return 0;  // libcurl gives up
  }
  call.answer.append(data, bytes);
  return bytes;
}

std::size_t give_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& call = *static_cast<Call*>(self);
  if (call.write_stopped != nullptr && (*call.write_stopped)()) {
    call.stopped = true;
    return CURL_READFUNC_ABORT;
  }
  const std::size_t bytes = std::min(size * count, call.request.body.size() - call.body_read);
  std::copy_n(call.request.body.data() + call.body_read, bytes, data);
  call.body_read += bytes;
  call.sent = true;
  return bytes;
}

int note_connection(void* self, char*, char*, int, int local_port) {
  static_cast<Call*>(self)->local_port = local_port;
  return CURL_PREREQFUNC_OK;
}

}  // namespace

const CurlCallbacks Call::kCallbacks{take_answer, give_body, note_connection};

bool surely_not_sent(const Call& call) {
  if (call.local_port == 0) return true;  // there was no connection yet, or no way through a proxy
  const bool has_body = !call.request.body.empty();
  if (has_body) return !call.sent;
  // Without a body the header alone is the request.
  long request_bytes = 0;
  if (call.handle) curl_easy_getinfo(call.handle->get(), CURLINFO_REQUEST_SIZE, &request_bytes);
  return request_bytes == 0;
}

bool is_connection_error(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SEND_FAIL_REWIND:
      return true;
    default:
      return false;
  }
}

ApiError own_error(std::string reason, std::string message) {
  ApiError error;
  error.reason = std::move(reason);
  error.message = std::move(message);
  return error;
}

ApiError transport_error(CURLcode code, const CurlHandle& handle, std::string_view who) {
  ApiError error;
  const std::string server = "API server " + std::string(who);
  const std::string problem = handle.problem(code);
  if (handle.proxy_refused()) code = CURLE_COULDNT_CONNECT;
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      error.reason = "Timeout";
      error.message = server + " did not answer in time: " + problem;
      break;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      error.reason = "Unreachable";
      error.message = server + " cannot be reached: " + problem;
      break;
    default:
      error.reason = "Broken";
      error.message = "the connection to " + server + " broke: " + problem;
  }
  return error;
}

}  // namespace kruise::client
