#include "cluster/state_file.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/json_writer.hpp"
#include "cluster/json_text.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

/// Rewritten when what was appended is more than this and more than four times what a rewrite would leave.
constexpr std::size_t kAppendedBytesMin = std::size_t{8} * 1024 * 1024;

std::string key_of(std::string_view group, std::string_view plural, std::string_view ns, std::string_view name) {
  std::string key(group);
  key.append("\n").append(plural).append("\n");
  if (!ns.empty()) key.append(ns).append("/");
  return key.append(name);
}

}  // namespace

StateFile::StateFile(std::string path) : path_(std::move(path)) {}

void StateFile::load(Storage& storage) {
  std::ifstream file(path_);
  std::string line;
  std::size_t number = 0;
  while (file && std::getline(file, line)) {
    ++number;
    const auto entry = parse_json(line);
    if (!entry && file.eof()) break;  // the last write of a process that was killed
    if (!entry) throw std::runtime_error(path_ + ":" + std::to_string(number) + ": " + entry.error());
    const auto group = text_of(*entry, "group");
    const auto plural = text_of(*entry, "plural");
    const auto object_path = text_of(*entry, "path");
    const auto version = static_cast<std::uint64_t>(integer_of(*entry, "version", 0));
    const std::string key = key_of(group, plural, "", object_path);
    version_ = std::max(version_, version);
    if (member(*entry, "object") == nullptr) {
      lines_.erase(key);
    } else {
      lines_[key] = line;
    }
  }
  for (const auto& [key, text] : lines_) {
    const auto entry = parse_json(text);
    if (!entry) throw std::runtime_error(path_ + ": " + entry.error());
    storage.restore(storage.table(text_of(*entry, "group"), text_of(*entry, "plural")), std::string(text_of(*entry, "path")),
                    static_cast<std::uint64_t>(integer_of(*entry, "version", 0)),
                    std::make_shared<const Json>(entry->at("object")));
  }
  if (version_ > 0) storage.restore_version(version_);
  rewrite();
}

void StateFile::record(const StorageEvent& event) {
  base::JsonWriter w;
  w.begin_object().key("version").integer(static_cast<std::int64_t>(event.resource_version)).key("group").string(event.group);
  std::string object_path(event.ns);
  if (!event.ns.empty()) object_path += '/';
  object_path.append(event.name);
  w.key("plural").string(event.plural).key("path").string(object_path);
  const std::string key = key_of(event.group, event.plural, event.ns, event.name);
  version_ = event.resource_version;
  if (event.type == "DELETED") {
    w.end_object();
    lines_.erase(key);
  } else {
    w.key("object").raw(event.after).end_object();
    lines_[key] = w.text();
  }
  file_ << w.text() << '\n' << std::flush;
  appended_bytes_ += w.text().size() + 1;
  if (appended_bytes_ > kAppendedBytesMin && appended_bytes_ > 4 * rewritten_bytes_) rewrite();
}

void StateFile::rewrite() {
  const std::string fresh = path_ + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    rewritten_bytes_ = 0;
    for (const auto& [key, line] : lines_) {
      out << line << '\n';
      rewritten_bytes_ += line.size() + 1;
    }
    // The counter may be ahead of every object that is left.
    out << "{\"version\":" << version_ << "}\n" << std::flush;
    if (!out) throw std::runtime_error(fresh + ": cannot be written");
  }
  if (std::rename(fresh.c_str(), path_.c_str()) != 0) throw std::runtime_error(path_ + ": cannot be replaced");
  appended_bytes_ = 0;
  file_ = std::ofstream(path_, std::ios::app);
  if (!file_) throw std::runtime_error(path_ + ": cannot be written");
}

}  // namespace kruise::cluster
