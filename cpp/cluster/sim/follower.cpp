#include "cluster/sim/follower.hpp"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "client/request.hpp"
#include "cluster/sim/records.hpp"

namespace kruise::cluster::sim {
namespace {

namespace od = simdjson::ondemand;

struct Event {
  std::string_view type;
  std::string_view object;
};

/// The parts of `{"type":"ADDED","object":{...}}`, in which API servers write it to the letter.
std::optional<Event> split(std::string_view line) {
  constexpr std::string_view kHead = R"({"type":")";
  constexpr std::string_view kMiddle = R"(","object":)";
  if (!line.starts_with(kHead)) return {};
  const auto end = line.find('"', kHead.size());
  if (end == std::string_view::npos || line.substr(end, kMiddle.size()) != kMiddle) return {};
  const auto last = line.find_last_of('}');
  const auto object = end + kMiddle.size();
  if (last <= object) return {};
  return Event{line.substr(kHead.size(), end - kHead.size()), line.substr(object, last - object)};
}

/// metadata.resourceVersion of a bookmark or list, and metadata.continue of a list.
std::pair<std::string, std::string> list_metadata(od::document& document) {
  std::pair<std::string, std::string> out;
  for (auto field : document.find_field_unordered("metadata").get_object()) {
    const std::string_view key = field.unescaped_key();
    if (key == "resourceVersion") out.first = std::string_view(field.value().get_string());
    if (key == "continue") out.second = std::string_view(field.value().get_string());
  }
  return out;
}

bool is_expired(std::string_view status) { return status.find(R"("code":410)") != std::string_view::npos; }

}  // namespace

Follower::Follower(client::Client& client, api::Resource resource, Sink& sink)
    : client_(client), resource_(std::move(resource)), sink_(sink) {}

Follower::~Follower() { stop(); }

void Follower::start() {
  if (!stopped_) return;
  stopped_ = false;
  life_ = std::make_unique<base::Lifetime>();
  list("");
}

void Follower::stop() {
  stopped_ = true;
  watch_.reset();
  life_.reset();
}

void Follower::list(const std::string& token) {
  if (token.empty()) ++lists_;
  client::ListOptions options;
  options.limit = kPageObjects;
  options.continue_token = token;
  client_.send(client::list(resource_, "", options), life_->bind([this](const client::Outcome& outcome) { take_page(outcome); }));
}

void Follower::take_page(const client::Outcome& outcome) {
  if (!outcome) return again(true, kRetryDelay);
  std::string token;
  try {
    const simdjson::padded_string body(outcome->body);
    od::parser parser;
    od::document document = parser.iterate(body);
    auto metadata = list_metadata(document);
    version_ = std::move(metadata.first);
    token = std::move(metadata.second);
    document.rewind();
    auto items = document.find_field_unordered("items");
    if (od::value list; items.get(list) == simdjson::SUCCESS && !list.is_null()) {
      for (od::object item : list.get_array()) {
        take(std::string_view(item.raw_json()));
        if (stopped_) return;
      }
    }
  } catch (const simdjson::simdjson_error& e) {
    base::log::warning("a simulator cannot read a list", {{"resource", resource_.plural}, {"why", e.what()}});
    return again(true, kRetryDelay);
  }
  if (!token.empty()) return list(token);
  std::vector<std::string> gone;
  for (const auto& [key, seen] : known_) {
    if (seen != lists_) gone.push_back(key);
  }
  std::ranges::sort(gone);
  for (const auto& key : gone) {
    known_.erase(key);
    sink_.gone(key);
  }
  sink_.listed();
  if (!stopped_) open();
}

/// The object's version; 0 when the text is none.
std::uint64_t Follower::take(std::string_view json) {
  Seen seen = sink_.seen(json);
  if (seen.version != 0) known_[std::move(seen.key)] = lists_;
  return seen.version;
}

void Follower::open() {
  client::WatchOptions options;
  options.resource_version = version_;
  watch_ = client_.watch(client::watch(resource_, "", options), *this);
}

/// Later, because a watch must not be destroyed from within its own call.
void Follower::again(bool list_first, base::Duration delay) {
  if (stopped_ || reopening_) return;
  reopening_ = true;
  client_.executor().post_after(delay, life_->bind([this, list_first] {
    reopening_ = false;
    watch_.reset();
    list_first ? list("") : open();
  }));
}

void Follower::on_event(std::string_view line) {
  const auto event = split(line);
  if (!event) return again(true, kRetryDelay);
  if (event->type == "ADDED" || event->type == "MODIFIED") {
    if (const auto version = take(event->object); version != 0) version_ = std::to_string(version);
  } else if (event->type == "DELETED") {
    Identity identity;
    if (!read(event->object, identity)) return;
    version_ = std::to_string(identity.version);
    const std::string key = identity.key();
    known_.erase(key);
    sink_.gone(key);
  } else if (event->type == "BOOKMARK") {
    try {
      od::parser parser;
      const simdjson::padded_string text(event->object);
      od::document document = parser.iterate(text);
      if (auto version = list_metadata(document).first; !version.empty()) version_ = std::move(version);
    } catch (const simdjson::simdjson_error&) {
      again(true, kRetryDelay);
    }
  } else {
    again(is_expired(event->object), kRetryDelay);
  }
}

void Follower::on_end(std::optional<client::ApiError> error) {
  if (!error) return again(false, base::Duration(0));
  again(error->expired(), kRetryDelay);
}

}  // namespace kruise::cluster::sim
