#include "base/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

extern char** environ;  // NOLINT: POSIX names it so

namespace kruise::base {
namespace {

/// How often a child that closed its outputs, or left them to a grandchild, is looked at.
constexpr int kLookEveryMs = 20;

class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  ~File() { close(); }
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  File read;
  File write;
};

bool make_pipe(Pipe& pipe) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  pipe.read = File(ends[0]);
  pipe.write = File(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return true;
}

std::vector<std::string> merged_environment(const Command& command) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [key, value] : command.environment) replaced = replaced || key == name;
    if (!replaced) merged.emplace_back(text);
  }
  for (const auto& [key, value] : command.environment) merged.push_back(key + "=" + value);
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

/// Returns 0 or an errno.
int spawn(const Command& command, const Pipe& out, const Pipe& err, pid_t& pid) {
  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> variables = merged_environment(command);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(variables);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  const int error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), envp.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/// Reads what is there; closes the file at its end.
void drain(File& file, std::string& into, std::size_t bytes_max) {
  std::array<char, 16384> buffer;
  while (file.is_open() && into.size() <= bytes_max) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      file.close();
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

}  // namespace

std::string CommandResult::text() const {
  switch (end) {
    case End::kExited:
      return "exited with status " + std::to_string(status);
    case End::kSignalled:
      return "was ended by signal " + std::to_string(status);
    case End::kTimedOut:
      return "ran too long and was ended";
    case End::kTooMuchOutput:
      return "wrote too much and was ended";
    case End::kStopped:
      return "was ended because we end";
    case End::kNotStarted:
      return status == ENOENT ? "was not found" : std::string("could not be started: ") + std::strerror(status);
  }
  return "";
}

CommandResult run_command(const Command& command) {
  CommandResult result;
  Pipe out;
  Pipe err;
  pid_t pid = 0;
  result.status = make_pipe(out) && make_pipe(err) ? spawn(command, out, err, pid) : errno;
  if (result.status != 0) return result;
  out.write.close();
  err.write.close();

  const auto deadline = std::chrono::steady_clock::now() + command.limit;
  int status = 0;
  bool ended = false;
  while (!ended) {
    std::array<pollfd, 2> files{pollfd{out.read.get(), POLLIN, 0}, pollfd{err.read.get(), POLLIN, 0}};
    ::poll(files.data(), files.size(), kLookEveryMs);  // closed files are -1, which poll ignores
    ended = ::waitpid(pid, &status, WNOHANG) == pid;
    drain(out.read, result.output, command.output_bytes_max);
    drain(err.read, result.errors, command.output_bytes_max);
    if (ended) break;
    const bool too_much = result.output.size() > command.output_bytes_max || result.errors.size() > command.output_bytes_max;
    const bool late = std::chrono::steady_clock::now() >= deadline;
    if (too_much || late || command.stop.stop_requested()) {
      result.end = too_much ? CommandResult::End::kTooMuchOutput
                   : late   ? CommandResult::End::kTimedOut
                            : CommandResult::End::kStopped;
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return result;
    }
  }
  result.end = WIFEXITED(status) ? CommandResult::End::kExited : CommandResult::End::kSignalled;
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
  return result;
}

}  // namespace kruise::base
