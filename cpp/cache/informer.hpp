// One kind, cached: store, decoder, feed and reflector in one piece.
//
//     cache::Informer<api::Pod> pods(client, api::kPods, cache::pod_decoder(), random);
//     pods.store().subscribe(...);
//     pods.start();
#pragma once

#include <memory>
#include <utility>

#include "cache/reflector.hpp"

namespace kruise::cache {

/// What a manager does with a cache, whatever its type. On the client's executor.
class AnyInformer {
 public:
  virtual ~AnyInformer() = default;
  virtual void start() = 0;
  virtual void stop() = 0;
  virtual void relist() = 0;
  /// When the last complete list was begun.
  [[nodiscard]] virtual std::optional<base::MonoTime> listed_from() const = 0;
  [[nodiscard]] virtual bool synced() const = 0;
  [[nodiscard]] virtual const api::Resource& resource() const = 0;
  /// For the metrics: objects and bytes, age of the last sign of life, counts of what happened.
  [[nodiscard]] virtual ReflectorStats stats() const = 0;
};

template <class T>
class Informer final : public AnyInformer {
 public:
  Informer(client::Client& client, api::Resource resource, std::unique_ptr<Decoder<T>> decoder, base::Random random,
           ReflectorOptions options = {}, typename StoreFeed<T>::OnMalformed on_malformed = {})
      : resource_(std::move(resource)),
        decoder_(std::move(decoder)),
        feed_(*decoder_, store_, std::move(on_malformed)),
        reflector_(client, resource_, feed_, random, std::move(options)) {}

  /// Add indexes and subscribers before `start`.
  [[nodiscard]] Store<T>& store() { return store_; }
  [[nodiscard]] const Store<T>& store() const { return store_; }
  void start() override { reflector_.start(); }
  void stop() override { reflector_.stop(); }
  void relist() override { reflector_.relist(); }
  [[nodiscard]] std::optional<base::MonoTime> listed_from() const override { return reflector_.listed_from(); }
  [[nodiscard]] bool synced() const override { return store_.synced(); }
  [[nodiscard]] const api::Resource& resource() const override { return resource_; }
  [[nodiscard]] ReflectorStats stats() const override { return reflector_.stats(); }

 private:
  api::Resource resource_;
  std::unique_ptr<Decoder<T>> decoder_;
  Store<T> store_;
  StoreFeed<T> feed_;
  Reflector reflector_;
};

}  // namespace kruise::cache
