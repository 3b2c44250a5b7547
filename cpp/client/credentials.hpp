// Who we are, kept fresh: files of tokens and certificates re-read, credential programs run again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/executor.hpp"
#include "client/config.hpp"

namespace kruise::client {

/// A file is read again when its content is older than this.
inline constexpr base::Duration kCredentialFileAgeMax = std::chrono::seconds(60);
/// A file that could not be used is not read more often than this (a certificate may be there before its key is).
inline constexpr base::Duration kCredentialFileRetryDelay = std::chrono::seconds(1);
/// A credential program that fails, or whose credential has expired already, is not run more often than this.
inline constexpr base::Duration kExecRetryDelay = std::chrono::seconds(1);

/// Lives on one thread; a credential program runs on another and `wake` is called there when it is done. Destruction ends the
/// program.
class Credentials {
 public:
  Credentials(const Config&, std::function<void()> wake, const base::Clock&);
  ~Credentials();
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  struct Current {
    std::string authorization;  // header's value, may be empty
    std::string certificate;
    std::string key;
    bool operator==(const Current&) const = default;
  };
  struct State {
    enum class Kind : std::uint8_t { kReady, kPending, kFailed };
    Kind kind = Kind::kReady;
    Current current;    // kReady
    std::string error;  // kFailed
  };
  /// What to use now. kPending: a program runs; ask again after `wake`.
  [[nodiscard]] State get();
  /// The server answered 401 to `used`. Returns whether another try may do better (after `get` is ready again).
  [[nodiscard]] bool refused(const Current& used);
  /// A connection failed, perhaps because of an old certificate: `get` looks at the files again.
  void doubt();

 private:
  struct Exec;

  struct File {
    std::optional<base::MonoTime> read;  // last tried
    std::string problem;                 // of that time
    [[nodiscard]] bool is_due(base::MonoTime now) const;
  };

  void read_files(bool all);
  void read_token_file();
  void read_certificate_files();
  void note(File&, std::string_view what, const std::string& path, std::string problem) const;
  [[nodiscard]] State exec_state();
  [[nodiscard]] Current with(const ExecCredential&) const;

  const base::Clock& clock_;
  const std::string token_file_;
  const std::string certificate_file_;
  const std::string key_file_;
  File token_;
  File pair_;
  Current current_;
  std::optional<ExecConfig> exec_config_;
  std::shared_ptr<Exec> exec_;  // shared with the program's thread
  std::stop_source stop_;
  std::unique_ptr<base::Loop> exec_thread_;
};

}  // namespace kruise::client
