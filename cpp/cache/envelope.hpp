// What the bytes of lists and watches wrap around objects.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/decode.hpp"
#include "api/key.hpp"
#include "base/result.hpp"

namespace kruise::cache {

/// One line of a watch. `object` is a part of the line, so what follows it is readable as well.
struct WatchEvent {
  enum class Type : std::uint8_t { kAdded, kModified, kDeleted, kBookmark, kError };
  Type type = Type::kAdded;
  std::string_view object;
};
/// Costs nothing for a line as API servers write it; the object itself is not looked at.
[[nodiscard]] base::Result<WatchEvent, api::DecodeError> parse_event(std::string_view line);

struct BookmarkInfo {
  std::uint64_t version = 0;
  bool initial_events_end = false;  // the streamed list is complete
};
[[nodiscard]] base::Result<BookmarkInfo, api::DecodeError> parse_bookmark(std::string_view object);

/// Which object these bytes are, when its decoder cannot say.
struct Identity {
  api::Key key;
  std::uint64_t version = 0;
};
[[nodiscard]] base::Result<Identity, api::DecodeError> parse_identity(std::string_view object);

struct ListMeta {
  std::uint64_t version = 0;
  std::string continue_token;  // empty: this was the last page
};
/// Calls back for each item of a page, in order, before it returns. Not for pages inside pages.
[[nodiscard]] base::Result<ListMeta, api::DecodeError> for_each_item(std::string_view page,
                                                                     const std::function<void(std::string_view)>& each);

}  // namespace kruise::cache
