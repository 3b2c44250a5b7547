#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"
#include "cluster/json_text.hpp"
#include "cluster/selection.hpp"
#include "cluster/tree.hpp"
#include "cluster/verbs/verbs.hpp"
#include "cluster/view.hpp"

namespace kruise::cluster {
namespace {

constexpr std::size_t kPageOfScan = 4096;

std::optional<std::uint64_t> parse_version(std::string_view text) {
  std::uint64_t version = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), version);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return version;
}

Response invalid_list(const FieldErrors& errors) {
  return invalid({.group = "meta.k8s.io", .resource = {}, .kind = "ListOptions", .name = {}, .uid = {}}, errors);
}

/// Where a list goes on, and the version it shows: kept opaque to clients as base16 of JSON.
std::string continue_token(std::uint64_t version, const std::string& start) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string token;
  for (const char c : std::to_string(version) + ":" + start) {
    token += kHex[static_cast<unsigned char>(c) >> 4];
    token += kHex[static_cast<unsigned char>(c) & 15];
  }
  return token;
}

struct Position {
  std::uint64_t version = 0;
  std::string start;
};

std::optional<Position> read_token(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i + 1 < token.size(); i += 2) {
    unsigned byte = 0;
    if (std::from_chars(token.data() + i, token.data() + i + 2, byte, 16).ptr != token.data() + i + 2) return std::nullopt;
    text += static_cast<char>(byte);
  }
  const auto colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto version = parse_version(std::string_view(text).substr(0, colon));
  if (!version) return std::nullopt;
  return Position{*version, text.substr(colon + 1)};
}

struct ListPlan {
  Storage::ListQuery query;
  std::size_t limit = SIZE_MAX;
};

base::Result<ListPlan, Response> plan_list(const Call& call, const Selection& selection) {
  ListPlan plan;
  plan.query.prefix = selection.prefix();
  const std::string_view token = call.info.query.get("continue");
  const std::string_view wanted = call.info.query.get("resourceVersion");
  const std::string_view match = call.info.query.get("resourceVersionMatch");
  const std::uint64_t current = call.context.storage().version();
  if (const auto limit = parse_version(call.info.query.get("limit")); limit && *limit > 0) plan.limit = *limit;

  FieldErrors errors;
  if (call.info.query.has("sendInitialEvents")) errors.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
  if (!match.empty()) {
    if (wanted.empty()) {
      errors.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
    } else if (!token.empty()) {
      errors.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
    }
    if (match != "Exact" && match != "NotOlderThan") {
      errors.not_supported("resourceVersionMatch", std::string(match), {"Exact", "NotOlderThan", ""});
    } else if (match == "Exact" && wanted == "0") {
      errors.forbidden("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }
  }
  if (!errors.empty()) return invalid_list(errors);
  if (!token.empty()) {
    if (!wanted.empty() && wanted != "0") return bad_request("specifying resource version is not allowed when using continue");
    auto position = read_token(token);
    if (!position) return bad_request("invalid continue token: continue key is not valid: unexpected token");
    plan.query.start = std::move(position->start);
    plan.query.at = position->version;
    return plan;
  }
  if (wanted.empty()) return plan;
  const auto version = parse_version(wanted);
  if (!version)
    return bad_request("invalid resource version: resourceVersion: Invalid value: \"" + std::string(wanted) +
                       "\": strconv.ParseUint: parsing \"" + std::string(wanted) + "\": invalid syntax");
  if (*version > current) return too_large_version(*version, current);
  if (match == "Exact" || (match.empty() && plan.limit != SIZE_MAX && *version != 0)) plan.query.at = version;
  return plan;
}

}  // namespace

Response get(Call& call) {
  const std::string_view wanted = call.info.query.get("resourceVersion");
  if (const auto version = parse_version(wanted); !wanted.empty() && version && *version > call.context.storage().version()) {
    return too_large_version(*version, call.context.storage().version());
  }
  const ObjectPtr object = call.stored();
  return object ? call.show(*object) : not_found(call.subject());
}

Response list(Call& call) {
  auto selection = Selection::from(call.kind, call.info);
  if (!selection) return selection.error();
  auto view = View::of(call.request.accept, call.kind, call.info.query, call.now);
  if (!view) return view.error();
  auto plan = plan_list(call, *selection);
  if (!plan) return plan.error();

  const bool all = selection->selects_all();
  // A page of everything needs no more than itself and whether something follows.
  if (plan->limit != SIZE_MAX) plan->query.count_max = all ? plan->limit + 1 : kPageOfScan;
  std::vector<ObjectPtr> found;
  std::uint64_t version = 0;
  std::size_t remaining = 0;
  bool more = false;
  while (true) {
    Storage::Listing listing = call.context.storage().list(call.kind->table(), plan->query);
    if (listing.compacted) {
      return gone(
          "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
          "continue parameter.");
    }
    version = listing.version;
    plan->query.at = version;  // later parts show the same state
    const bool last = listing.objects.size() < plan->query.count_max;
    if (!last) plan->query.start = listing.objects.back()->path() + '\0';
    for (auto& object : listing.objects) {
      if (!all && !selection->matches(*object)) continue;
      if (found.size() == plan->limit) {
        more = true;
        break;
      }
      found.push_back(std::move(object));
    }
    if (last || more) break;
  }
  if (more && all) {
    remaining =
        call.context.storage()
            .list(call.kind->table(), {.prefix = selection->prefix(), .start = found.back()->path() + '\0', .at = version})
            .objects.size();
  }

  base::JsonWriter metadata;
  metadata.begin_object().key("resourceVersion").string(std::to_string(version));
  if (more) {
    metadata.key("continue").string(continue_token(version, found.back()->path() + '\0'));
  } else if (call.kind->custom()) {
    metadata.key("continue").string("");  // lists of custom kinds always carry the member
  }
  if (more && all) metadata.key("remainingItemCount").integer(static_cast<std::int64_t>(remaining));
  metadata.end_object();
  return ok_json(view->list(found, metadata.text()));
}

}  // namespace kruise::cluster
