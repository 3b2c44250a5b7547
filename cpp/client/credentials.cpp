#include "client/credentials.hpp"

#include <mutex>

#include "base/log.hpp"
#include "client/config_file.hpp"
#include "client/pem.hpp"

namespace kruise::client {

/// The last run of the credential program.
struct Credentials::Exec {
  std::function<void()> wake;
  std::mutex mutex;  // guards the rest
  bool running = false;
  bool stale = true;  // never run, or refused by the server
  std::optional<ExecCredential> credential;
  std::string error;
  base::MonoTime ended{};
};

Credentials::Credentials(const Config& config, std::function<void()> wake)
    : token_file_(config.token_file), exec_config_(config.exec) {
  current_.certificate = config.client_certificate;
  current_.key = config.client_key;
  if (!config.token.empty()) {
    current_.authorization = "Bearer " + config.token;
  } else if (!config.username.empty() || !config.password.empty()) {
    current_.authorization = "Basic " + base64_encode(config.username + ":" + config.password);
  }
  // What is given directly wins over the program, as in kubectl.
  if (!current_.authorization.empty() || !token_file_.empty()) exec_config_.reset();
  if (exec_config_) {
    exec_ = std::make_shared<Exec>();
    exec_->wake = std::move(wake);
    exec_thread_ = std::make_unique<base::Loop>("kruise-exec");
  }
}

Credentials::~Credentials() { stop_.request_stop(); }

Credentials::State Credentials::get() {
  if (exec_) return exec_state();
  if (!token_file_.empty() && (!token_read_ || clock_.mono() - *token_read_ >= kTokenFileAgeMax)) read_token_file();
  return State{State::Kind::kReady, current_, ""};
}

void Credentials::read_token_file() {
  token_read_ = clock_.mono();
  const auto token = read_config_file(token_file_);
  if (token && !token->empty()) {
    current_.authorization = "Bearer " + *token;
  } else {
    // The last one may still be good; if not, the server says so.
    base::log::warning("token file not read, going on with the last token",
                       {{"file", token_file_}, {"reason", token ? "it is empty" : token.error().message}});
  }
}

Credentials::State Credentials::exec_state() {
  const std::lock_guard lock(exec_->mutex);
  const bool expired = exec_->credential && exec_->credential->expires && clock_.now() >= *exec_->credential->expires;
  if (exec_->running) return State{State::Kind::kPending, {}, ""};
  if (!exec_->error.empty() && clock_.mono() - exec_->ended < kExecRetryDelay)
    return State{State::Kind::kFailed, {}, exec_->error};
  if (exec_->credential && !exec_->stale && !expired) {
    Current current = current_;
    if (!exec_->credential->token.empty()) current.authorization = "Bearer " + exec_->credential->token;
    if (!exec_->credential->certificate.empty()) {
      current.certificate = exec_->credential->certificate;
      current.key = exec_->credential->key;
    }
    return State{State::Kind::kReady, std::move(current), ""};
  }
  exec_->running = true;
  exec_thread_->post([exec = exec_, config = *exec_config_, stop = stop_.get_token()] {
    auto credential = run_exec(config, kExecLimit, stop);
    {
      const std::lock_guard guard(exec->mutex);
      exec->running = false;
      exec->ended = base::SystemClock().mono();
      exec->error = credential ? "" : credential.error().message;
      if (credential) {
        exec->credential = std::move(*credential);
        exec->stale = false;
      }
    }
    exec->wake();
  });
  return State{State::Kind::kPending, {}, ""};
}

bool Credentials::refused(const Current& used) {
  if (exec_) {
    const std::lock_guard lock(exec_->mutex);
    const bool same =
        exec_->credential && (exec_->credential->token.empty() || used.authorization == "Bearer " + exec_->credential->token);
    if (same) exec_->stale = true;
    return true;
  }
  if (token_file_.empty()) return false;
  read_token_file();
  return current_ != used;
}

}  // namespace kruise::client
