// What a reflector fills: decodes what arrives and writes it to a store.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/memory.hpp"
#include "cache/decoder.hpp"
#include "cache/envelope.hpp"
#include "cache/store.hpp"

namespace kruise::cache {

/// An object that the server holds and that cannot be decoded: told so that somebody can say so on the object.
struct Malformed {
  api::Key key;
  api::DecodeError error;
};

struct FeedStats {
  std::size_t objects = 0;
  std::size_t bytes = 0;        // objects, what they share, table and indexes
  std::uint64_t malformed = 0;  // objects refused so far
};

/// The reflector's view of a store, whatever its type. A returned error is one of syntax: the bytes cannot be trusted.
class Feed {
 public:
  virtual ~Feed() = default;
  virtual void begin_list() = 0;
  [[nodiscard]] virtual base::Result<ListMeta, api::DecodeError> page(std::string_view body) = 0;
  /// An event of a streamed list, before its end.
  [[nodiscard]] virtual std::optional<api::DecodeError> list_event(const WatchEvent&) = 0;
  virtual void end_list(std::uint64_t version) = 0;
  virtual void abort_list() = 0;
  [[nodiscard]] virtual std::optional<api::DecodeError> event(const WatchEvent&) = 0;
  virtual void bookmark(std::uint64_t version) = 0;
  [[nodiscard]] virtual std::uint64_t version() const = 0;
  [[nodiscard]] virtual FeedStats stats() const = 0;
};

/// Required: decoder and store outlive the feed.
template <class T>
class StoreFeed final : public Feed {
 public:
  using OnMalformed = std::function<void(const Malformed&)>;
  StoreFeed(Decoder<T>& decoder, Store<T>& store, OnMalformed on_malformed = {})
      : decoder_(decoder), store_(store), on_malformed_(std::move(on_malformed)) {}

  void begin_list() override {
    store_.abort_list();
    list_bytes_ = 0;
  }

  base::Result<ListMeta, api::DecodeError> page(std::string_view body) override {
    std::optional<api::DecodeError> fault;
    list_bytes_ += body.size();
    auto meta = decoder_.decode_page(body, [&](typename Decoder<T>::Decoded decoded, std::string_view json) {
      if (!fault) fault = list_item(std::move(decoded), json);
    });
    if (fault) return *fault;
    return meta;
  }

  std::optional<api::DecodeError> list_event(const WatchEvent& event) override {
    list_bytes_ += event.object.size();
    auto decoded = decoder_.decode(event.object);
    if (event.type != WatchEvent::Type::kDeleted) return list_item(std::move(decoded), event.object);
    const auto identity = parse_identity(event.object);
    if (!identity) return identity.error();
    store_.unlist_item(view(identity->key));
    return std::nullopt;
  }

  void end_list(std::uint64_t version) override {
    store_.end_list(version);
    decoder_.trim();
    constexpr std::size_t kWorthwhileBytes = 1 << 20;
    if (std::exchange(list_bytes_, 0) >= kWorthwhileBytes) base::release_free_memory();
  }
  void abort_list() override { store_.abort_list(); }

  std::optional<api::DecodeError> event(const WatchEvent& event) override {
    auto decoded = decoder_.decode(event.object);
    if (!decoded) return refuse(decoded.error(), event);
    const auto& object = *decoded;
    if (event.type == WatchEvent::Type::kDeleted) {
      store_.erase(Traits<T>::key(*object), Traits<T>::version(*object));
    } else {
      const std::size_t bytes = decoder_.bytes_of(*object, event.object);
      store_.put(std::move(*decoded), bytes);
    }
    return std::nullopt;
  }

  void bookmark(std::uint64_t version) override {
    decoder_.trim();
    store_.advance(version);
  }
  std::uint64_t version() const override { return store_.version(); }
  FeedStats stats() const override {
    return {store_.size(), store_.object_bytes() + store_.index_bytes() + decoder_.shared_bytes(), malformed_};
  }

 private:
  std::optional<api::DecodeError> list_item(typename Decoder<T>::Decoded decoded, std::string_view json) {
    if (decoded) {
      const std::size_t bytes = decoder_.bytes_of(**decoded, json);
      store_.list_item(std::move(*decoded), bytes);
      return std::nullopt;
    }
    if (decoded.error().syntax) return decoded.error();
    const auto identity = parse_identity(json);
    if (!identity) return identity.error();
    report(identity->key, decoded.error());
    store_.keep_listed(view(identity->key));
    return std::nullopt;
  }

  /// An object that cannot be decoded stays as it was last understood, so that nothing is done for want of it; one that is gone
  /// is gone.
  std::optional<api::DecodeError> refuse(const api::DecodeError& error, const WatchEvent& event) {
    if (error.syntax) return error;
    const auto identity = parse_identity(event.object);
    if (!identity) return identity.error();
    report(identity->key, error);
    if (event.type == WatchEvent::Type::kDeleted) {
      store_.erase(view(identity->key), identity->version);
    } else {
      store_.advance(identity->version);
    }
    return std::nullopt;
  }

  void report(const api::Key& key, const api::DecodeError& error) {
    ++malformed_;
    if (on_malformed_) on_malformed_({key, error});
  }

  Decoder<T>& decoder_;
  Store<T>& store_;
  OnMalformed on_malformed_;
  std::uint64_t malformed_ = 0;
  std::size_t list_bytes_ = 0;  // that the list under way has brought
};

}  // namespace kruise::cache
