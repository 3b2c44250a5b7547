#include "cluster/state_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "base/json_writer.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

/// Rewritten when what was appended is more than this and more than four times what a rewrite would leave.
constexpr std::size_t kAppendedBytesMin = std::size_t{8} * 1024 * 1024;
constexpr std::size_t kWriteBytes = std::size_t{1} * 1024 * 1024;
constexpr const char* kPrefix = "state file ";
constexpr mode_t kMode = 0600;  // secrets are in it

std::string key_of(std::string_view group, std::string_view plural, std::string_view object_path) {
  std::string key(group);
  return key.append("\n").append(plural).append("\n").append(object_path);
}

[[noreturn]] void refuse(const std::string& what) { throw std::runtime_error(std::string(kPrefix) + what); }

std::string reason_of(int error) { return std::generic_category().message(error); }

/// The file that a link leads to: a rewrite puts a new file in its place, not in the link's.
std::string resolved(const std::string& path) {
  std::error_code unresolved;
  const auto target = std::filesystem::weakly_canonical(path, unresolved);
  return unresolved ? path : target.string();
}

bool lock_now(int file) { return ::flock(file, LOCK_EX | LOCK_NB) == 0; }

/// Whether the path still leads to the open file; another process may have put a new one in its place.
bool is_at(int file, const std::string& path) {
  struct stat open = {};
  struct stat there = {};
  return ::fstat(file, &open) == 0 && ::stat(path.c_str(), &there) == 0 && open.st_ino == there.st_ino &&
         open.st_dev == there.st_dev;
}

int open_locked(const std::string& path) {
  while (true) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
    if (file < 0) refuse(path + ": " + reason_of(errno));
    const bool locked = lock_now(file);
    const int error = errno;
    if (locked && is_at(file, path)) return file;
    ::close(file);
    if (!locked) refuse(path + ": " + (error == EWOULDBLOCK ? "another cluster is using it" : reason_of(error)));
  }
}

/// Returns 0, or the error's number.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

bool is_version(const Json* value) { return value != nullptr && value->is_number_integer() && value->get<std::int64_t>() >= 0; }

/// Either a write (group, plural and path, and the object unless it was deleted) or the counter alone.
bool is_record(const Json& entry) {
  if (!entry.is_object() || !is_version(member(entry, "version"))) return false;
  if (entry.size() == 1) return true;
  for (const char* name : {"group", "plural", "path"}) {
    const Json* value = member(entry, name);
    if (value == nullptr || !value->is_string()) return false;
  }
  const Json* object = member(entry, "object");
  return entry.size() == (object == nullptr ? 4U : 5U) && (object == nullptr || object->is_object());
}

}  // namespace

StateFile::StateFile(const std::string& path) : path_(resolved(path)), file_(open_locked(path_)) {}

StateFile::~StateFile() { ::close(file_); }

std::uint64_t StateFile::load(Storage& storage, fields::FieldTexts& texts) {
  std::string rest;
  std::size_t number = 0;
  std::array<char, std::size_t{64} * 1024> chunk{};
  while (true) {
    const ssize_t got = ::read(file_, chunk.data(), chunk.size());
    if (got < 0) refuse(path_ + ": " + reason_of(errno));
    if (got == 0) break;
    rest.append(chunk.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
      read_line(std::string_view(rest).substr(begin, end - begin), ++number);
      begin = end + 1;
    }
    rest.erase(0, begin);
  }
  // What follows the last line was being written when the process was killed. The first line never is: it came with a rewrite.
  if (!rest.empty() && number == 0) read_line(rest, 1);
  for (const auto& [key, text] : lines_) {
    auto parsed = parse_json(text);
    Json& entry = *parsed;
    Json& object = entry["object"];
    OwnersPtr owners;
    if (const Json* said = member_at(object, {"metadata", "managedFields"})) {
      if (auto list = fields::parse_owners(*said, texts)) owners = std::make_shared<const fields::Owners>(std::move(*list));
      object["metadata"].erase("managedFields");
    }
    storage.restore(storage.table(text_of(entry, "group"), text_of(entry, "plural")), std::string(text_of(entry, "path")),
                    static_cast<std::uint64_t>(integer_of(entry, "version", 0)), object, std::move(owners));
  }
  if (version_ > 0) storage.restore_version(version_);
  rewrite();
  return version_;
}

void StateFile::read_line(std::string_view line, std::size_t number) {
  const std::string where = path_ + ":" + std::to_string(number) + ": ";
  const auto entry = parse_json(line);
  if (!entry || !is_record(*entry)) {
    refuse(where + (number == 1 ? "this is no state of a cluster" : "damaged") + (entry ? "" : " (" + entry.error() + ")") +
           "; it is left as it is");
  }
  version_ = std::max(version_, static_cast<std::uint64_t>(integer_of(*entry, "version", 0)));
  if (entry->size() == 1) return;
  const std::string key = key_of(text_of(*entry, "group"), text_of(*entry, "plural"), text_of(*entry, "path"));
  if (member(*entry, "object") == nullptr) {
    lines_.erase(key);
  } else {
    lines_[key] = line;
  }
}

void StateFile::record(const StorageEvent& event) {
  base::JsonWriter w;
  w.begin_object().key("version").integer(static_cast<std::int64_t>(event.resource_version)).key("group").string(event.group);
  std::string object_path(event.ns);
  if (!event.ns.empty()) object_path += '/';
  object_path.append(event.name);
  w.key("plural").string(event.plural).key("path").string(object_path);
  const std::string key = key_of(event.group, event.plural, object_path);
  version_ = event.resource_version;
  if (event.type == "DELETED") {
    w.end_object();
    lines_.erase(key);
  } else {
    w.key("object").raw(event.after).end_object();
    lines_[key] = w.text();
  }
  append(w.text());
}

void StateFile::append(std::string_view line) {
  std::string problem;
  try {
    const bool behind = !failure().empty();  // what is missing, or half written, is put right by a rewrite alone
    if (!behind) {
      const int error = write_all(file_, std::string(line) + '\n');
      if (error != 0) problem = std::string(kPrefix) + path_ + ": " + reason_of(error);
      appended_bytes_ += line.size() + 1;
    }
    if (behind || (appended_bytes_ > kAppendedBytesMin && appended_bytes_ > 4 * rewritten_bytes_)) rewrite();
  } catch (const std::runtime_error& error) {
    problem = error.what();
  }
  const std::lock_guard lock(mutex_);
  failure_ = std::move(problem);
}

std::string StateFile::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void StateFile::rewrite() {
  const std::string fresh = path_ + ".new";
  const int file = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, kMode);
  if (file < 0) refuse(fresh + ": " + reason_of(errno));
  std::size_t bytes = 0;
  std::string block;
  int error = lock_now(file) ? 0 : errno;
  const auto put = [&](std::string_view line, bool last) {
    block.append(line).append("\n");
    bytes += line.size() + 1;
    if (error != 0 || (block.size() < kWriteBytes && !last)) return;
    error = write_all(file, block);
    block.clear();
  };
  for (const auto& [key, line] : lines_) put(line, false);
  // The counter may be ahead of every object that is left.
  put("{\"version\":" + std::to_string(version_) + "}", true);
  if (error == 0 && std::rename(fresh.c_str(), path_.c_str()) != 0) error = errno;
  if (error != 0) {
    ::close(file);
    ::unlink(fresh.c_str());
    refuse(path_ + ": " + reason_of(error));
  }
  ::close(std::exchange(file_, file));
  rewritten_bytes_ = bytes;
  appended_bytes_ = 0;
}

}  // namespace kruise::cluster
