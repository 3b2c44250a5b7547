// The caches of a process, one a kind, shared by the controllers that ask for them and dropped with the last.
#pragma once

#include <cassert>
#include <functional>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "base/metrics.hpp"
#include "cache/informer.hpp"
#include "runtime/own_writes.hpp"

namespace kruise::runtime {

template <class T>
[[nodiscard]] Seen seen(const T& object) {
  if constexpr (requires { object.deletion(); }) {
    return {object.uid(), object.deletion().has_value(), cache::Traits<T>::version(object)};
  } else {
    const auto& meta = cache::Traits<T>::meta(object);
    return {meta.uid, meta.deletion_timestamp.has_value(), cache::Traits<T>::version(object)};
  }
}

/// Lives on the client's executor.
class Caches final : public Versions {
 public:
  struct Options {
    std::string ns{};  // namespaced kinds are watched in it alone
    std::uint64_t seed = 0;
    std::function<void()> on_progress{};  // some cache moved
    std::function<void(const api::Resource&, const cache::Malformed&)> on_malformed{};
  };
  Caches(client::Client&, Options);

  /// One kind's cache with whoever uses it.
  class Entry {
   public:
    virtual ~Entry() = default;
    [[nodiscard]] virtual cache::AnyInformer& informer() = 0;
    [[nodiscard]] virtual std::uint64_t version() const = 0;
    [[nodiscard]] virtual std::optional<Seen> find(const api::Key&) const = 0;
    [[nodiscard]] virtual std::vector<api::Key> keys() const = 0;
    [[nodiscard]] virtual const std::type_info& type() const = 0;
  };
  using EntryPtr = std::shared_ptr<Entry>;

  /// The cache of a kind, made (not started) on first use; it lives as long as somebody keeps what `keep` is given. Asking for
  /// a kind with two types is a mistake of ours.
  template <class T>
  [[nodiscard]] cache::Store<T>& store(const api::Resource& resource, std::vector<EntryPtr>& keep,
                                       const std::function<std::unique_ptr<cache::Decoder<T>>()>& decoder) {
    EntryPtr entry = find_entry(resource);
    if (!entry) {
      entry = std::make_shared<TypedEntry<T>>(client_, resource, decoder(), random_.stream(resource.plural),
                                              reflector_options(resource), malformed_callback(resource));
      auto& made = static_cast<TypedEntry<T>&>(*entry).typed.store();
      made.on_progress(options_.on_progress);
      add_entry(entry);
    }
    assert(entry->type() == typeid(T));
    keep.push_back(entry);
    return static_cast<TypedEntry<T>&>(*entry).typed.store();
  }

  [[nodiscard]] std::optional<std::uint64_t> reached(const api::Resource&) const override;
  [[nodiscard]] std::optional<Seen> object(const api::Resource&, const api::Key&) const override;
  [[nodiscard]] std::uint64_t lists(const api::Resource&) const override;
  void refresh(const api::Resource&) override;

  /// Objects and bytes a kind, age of each watch's last sign of life.
  void publish(base::Metrics&);

 private:
  template <class T>
  struct TypedEntry final : Entry {
    template <class... Arguments>
    explicit TypedEntry(Arguments&&... arguments) : typed(std::forward<Arguments>(arguments)...) {}
    cache::AnyInformer& informer() override { return typed; }
    std::uint64_t version() const override { return typed.store().version(); }
    std::optional<Seen> find(const api::Key& key) const override {
      const auto object = typed.store().get(key);
      return object ? std::optional(seen(*object)) : std::nullopt;
    }
    std::vector<api::Key> keys() const override {
      std::vector<api::Key> keys;
      for (const auto& object : typed.store().all()) keys.push_back(cache::Traits<T>::key(*object).key());
      return keys;
    }
    const std::type_info& type() const override { return typeid(T); }
    cache::Informer<T> typed;
  };

  [[nodiscard]] EntryPtr find_entry(const api::Resource&) const;
  void add_entry(const EntryPtr&);
  [[nodiscard]] cache::ReflectorOptions reflector_options(const api::Resource&) const;
  [[nodiscard]] std::function<void(const cache::Malformed&)> malformed_callback(const api::Resource&) const;

  client::Client& client_;
  Options options_;
  base::Random random_;
  std::shared_ptr<cache::ServerFacts> facts_ = std::make_shared<cache::ServerFacts>();
  std::vector<std::weak_ptr<Entry>> entries_;
  std::vector<api::Resource> published_;
};

}  // namespace kruise::runtime
