#include "cluster/watch_stream.hpp"

#include <nlohmann/json.hpp>

#include "cluster/answer.hpp"
#include "cluster/tree.hpp"

namespace kruise::cluster {
namespace {

constexpr base::Duration kBookmarkInterval = std::chrono::seconds(60);
/// A bookmark shortly before the end, so that the client's next watch starts from a fresh version.
constexpr base::Duration kBookmarkBeforeEnd = std::chrono::seconds(2);
constexpr std::size_t kBatch = 128;

/// What a client sees go when it no longer matches: its last matching state, with the version of the change.
ObjectPtr departed(const LoggedEvent& event) {
  Json tree = Object(*event.before).tree();
  tree["metadata"]["resourceVersion"] = std::to_string(event.version());
  return std::make_shared<const Object>(event.before->path(), event.version(), tree, EventType::kDeleted, event.before->owners());
}

}  // namespace

WatchStream::WatchStream(Storage& storage, const KindPtr& kind, Selection selection, View view, Options options,
                         const base::Clock& clock, Storage::Cursor cursor, std::uint64_t version,
                         const std::vector<ObjectPtr>& initial)
    : storage_(storage),
      kind_(kind),
      selection_(std::move(selection)),
      view_(std::move(view)),
      options_(options),
      clock_(clock),
      cursor_(cursor),
      version_(version),
      start_version_(version),
      end_at_(clock.mono() + options.timeout),
      bookmark_at_(clock.mono() + kBookmarkInterval) {
  // A watch too short for it gets none.
  if (const base::MonoTime before_end = end_at_ - kBookmarkBeforeEnd; before_end > clock.mono())
    bookmark_at_ = std::min(bookmark_at_, before_end);
  for (const auto& object : initial) {
    if (!selection_.matches(*object)) continue;
    lines_.push_back(view_.line(EventType::kAdded, object, first_row_));
    first_row_ = false;
  }
  if (options_.send_initial_events && options_.bookmarks) lines_.push_back(view_.bookmark(version_, true));
  storage_.listen(kind_->table(), waker_);
}

WatchStream::~WatchStream() { waker_->set({}); }

void WatchStream::on_ready(std::function<void()> wake) { waker_->set(std::move(wake)); }

base::MonoTime WatchStream::due() const { return options_.bookmarks ? std::min(bookmark_at_, end_at_) : end_at_; }

void WatchStream::add(const LoggedEvent& event) {
  if (event.version() <= start_version_) return;  // the client named a version that was yet to come
  const bool now = event.type() != EventType::kDeleted && selection_.matches(*event.object);
  const bool before = event.before != nullptr && selection_.matches(*event.before);
  if (now) {
    lines_.push_back(view_.line(before ? EventType::kModified : EventType::kAdded, event.object, first_row_));
  } else if (before) {
    lines_.push_back(
        view_.line(EventType::kDeleted, event.type() == EventType::kDeleted ? event.object : departed(event), first_row_));
  } else {
    return;
  }
  first_row_ = false;
}

void WatchStream::fail(const client::Response& status) {
  lines_.push_back(std::make_shared<const std::string>(watch_line("ERROR", status.body)));
  closing_ = true;
}

void WatchStream::fill() {
  while (lines_.empty() && !closing_) {
    const Storage::Read read = storage_.read(kind_->table(), cursor_, kBatch);
    if (read.compacted) {
      fail(gone("too old resource version: " + std::to_string(version_) + " (" + std::to_string(read.version) + ")"));
      return;
    }
    for (const auto& event : read.events) add(event);
    version_ = std::max(version_, read.version);
    if (read.events.empty()) {
      if (read.over) closing_ = true;
      break;
    }
  }
  const base::MonoTime now = clock_.mono();
  if (lines_.empty() && options_.bookmarks && now >= bookmark_at_) {
    lines_.push_back(view_.bookmark(version_, false));
    bookmark_at_ = now + kBookmarkInterval;
    if (now < end_at_ - kBookmarkBeforeEnd) bookmark_at_ = std::min(bookmark_at_, end_at_ - kBookmarkBeforeEnd);
  }
  if (now >= end_at_) closing_ = true;
}

std::optional<std::shared_ptr<const std::string>> WatchStream::next() {
  if (ended_) return std::nullopt;
  if (lines_.empty()) fill();
  if (lines_.empty()) {
    if (closing_) ended_ = true;
    return std::nullopt;
  }
  auto line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

}  // namespace kruise::cluster
