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
  std::optional<base::MonoTime> ended;
};

Credentials::Credentials(const Config& config, std::function<void()> wake, const base::Clock& clock)
    : clock_(clock),
      token_file_(config.token_file),
      certificate_file_(config.client_certificate_file),
      key_file_(config.client_key_file),
      exec_config_(config.exec) {
  current_.certificate = config.client_certificate;
  current_.key = config.client_key;
  pair_.read = clock_.mono();  // by who made the configuration
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
  read_files(false);
  if (exec_) return exec_state();
  return State{State::Kind::kReady, current_, ""};
}

// --- files ----------------------------------------------------------------------------------------------------------

bool Credentials::File::is_due(base::MonoTime now) const {
  return !read || now - *read >= (problem.empty() ? kCredentialFileAgeMax : kCredentialFileRetryDelay);
}

void Credentials::read_files(bool all) {
  const base::MonoTime now = clock_.mono();
  if (!token_file_.empty() && (all || token_.is_due(now))) read_token_file();
  if (!certificate_file_.empty() && (all || pair_.is_due(now))) read_certificate_files();
}

void Credentials::read_token_file() {
  const auto token = read_config_file(token_file_);
  std::string problem = token ? "" : token.error().message;
  if (token && token->empty()) problem = token_file_ + ": is empty";
  if (problem.empty()) current_.authorization = "Bearer " + *token;
  note(token_, "token", token_file_, std::move(problem));
}

void Credentials::read_certificate_files() {
  const auto certificate = read_config_file(certificate_file_);
  const auto key = read_config_file(key_file_);
  std::string problem;
  if (!certificate || !key) {
    problem = certificate ? key.error().message : certificate.error().message;
  } else {
    problem = key_pair_problem(*certificate, *key);  // one may have been replaced, and the other not yet
  }
  if (problem.empty()) {
    current_.certificate = *certificate;
    current_.key = *key;
  }
  note(pair_, "client certificate", certificate_file_, std::move(problem));
}

void Credentials::note(File& file, std::string_view what, const std::string& path, std::string problem) const {
  file.read = clock_.mono();
  // The last one may still be good; if not, the server says so.
  if (!problem.empty() && problem != file.problem) {
    base::log::warning("credential file cannot be used, going on with what it held before",
                       {{"what", what}, {"file", path}, {"reason", problem}});
  }
  file.problem = std::move(problem);
}

void Credentials::doubt() { token_.read = pair_.read = std::nullopt; }

// --- programs ---------------------------------------------------------------------------------------------------------

Credentials::State Credentials::exec_state() {
  const std::lock_guard lock(exec_->mutex);
  if (exec_->running) return State{State::Kind::kPending, {}, ""};
  const bool just_ran = exec_->ended && clock_.mono() - *exec_->ended < kExecRetryDelay;
  if (!exec_->error.empty() && just_ran) return State{State::Kind::kFailed, {}, exec_->error};
  // What was expired when it came is used all the same: clocks differ, and the server knows better.
  const bool expired =
      exec_->credential && exec_->credential->expires && clock_.now() >= *exec_->credential->expires && !just_ran;
  if (exec_->credential && !exec_->stale && !expired) return State{State::Kind::kReady, with(*exec_->credential), ""};
  exec_->running = true;
  exec_thread_->post([exec = exec_, config = *exec_config_, stop = stop_.get_token(), &clock = clock_] {
    auto credential = run_exec(config, kExecLimit, stop);
    {
      const std::lock_guard guard(exec->mutex);
      exec->running = false;
      exec->ended = clock.mono();
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

Credentials::Current Credentials::with(const ExecCredential& credential) const {
  Current current = current_;
  if (!credential.token.empty()) current.authorization = "Bearer " + credential.token;
  if (!credential.certificate.empty()) {
    current.certificate = credential.certificate;
    current.key = credential.key;
  }
  return current;
}

bool Credentials::refused(const Current& used) {
  if (exec_) {
    const std::lock_guard lock(exec_->mutex);
    // Another request may have had it renewed meanwhile.
    if (exec_->credential && used == with(*exec_->credential)) exec_->stale = true;
    return true;
  }
  if (token_file_.empty() && certificate_file_.empty()) return false;
  read_files(true);
  return current_ != used;
}

}  // namespace kruise::client
