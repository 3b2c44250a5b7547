// Who we are, kept fresh: token files re-read, credential programs run again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/executor.hpp"
#include "client/config.hpp"

namespace kruise::client {

/// A token file is read again when its content is older than this.
inline constexpr base::Duration kTokenFileAgeMax = std::chrono::seconds(60);
/// A failing credential program is not run more often than this.
inline constexpr base::Duration kExecRetryDelay = std::chrono::seconds(1);

/// Lives on one thread; a credential program runs on another and `wake` is called there when it is done. Destruction ends the
/// program.
class Credentials {
 public:
  Credentials(const Config&, std::function<void()> wake);
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

 private:
  struct Exec;

  void read_token_file();
  [[nodiscard]] State exec_state();

  base::SystemClock clock_;
  std::string token_file_;
  std::optional<base::MonoTime> token_read_;
  Current current_;
  std::optional<ExecConfig> exec_config_;
  std::shared_ptr<Exec> exec_;  // shared with the program's thread
  std::stop_source stop_;
  std::unique_ptr<base::Loop> exec_thread_;
};

}  // namespace kruise::client
