// One open watch: reads a table's log from a cursor and turns what its client asked for into lines.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "cluster/api_server.hpp"
#include "cluster/selection.hpp"
#include "cluster/storage.hpp"
#include "cluster/view.hpp"

namespace kruise::cluster {

class WatchStream final : public ApiServer::Stream {
 public:
  struct Options {
    bool bookmarks = false;
    bool send_initial_events = false;  // a bookmark ends the initial events
    base::Duration timeout{0};
  };
  /// Starts behind `cursor`; `initial` objects come first, as additions.
  WatchStream(Storage&, const KindPtr&, Selection, View, Options, const base::Clock&, Storage::Cursor cursor,
              std::uint64_t version, const std::vector<ObjectPtr>& initial);
  ~WatchStream() override;

  std::optional<std::shared_ptr<const std::string>> next() override;
  [[nodiscard]] bool ended() const override { return ended_; }
  void on_ready(std::function<void()> wake) override;
  [[nodiscard]] base::MonoTime due() const override;

 private:
  void fill();
  void add(const LoggedEvent&);
  void fail(const client::Response&);

  Storage& storage_;
  KindPtr kind_;
  Selection selection_;
  View view_;
  Options options_;
  const base::Clock& clock_;
  Storage::Cursor cursor_;
  std::uint64_t version_;  // everything up to it was delivered
  std::uint64_t start_version_;
  base::MonoTime end_at_;
  base::MonoTime bookmark_at_;
  std::deque<std::shared_ptr<const std::string>> lines_;
  std::shared_ptr<Waker> waker_ = std::make_shared<Waker>();
  bool first_row_ = true;
  bool closing_ = false;  // ends once the lines are read
  bool ended_ = false;
};

}  // namespace kruise::cluster
