// Callbacks that do nothing once their object is gone.
//
//     class Thing { void start() { loop.post_after(1s, life_.bind([this] { tick(); })); }  base::Lifetime life_; };
#pragma once

#include <memory>
#include <utility>

namespace kruise::base {

/// A member, best the last one. For objects that live and die on one executor: there is no protection against other threads.
class Lifetime {
 public:
  Lifetime() = default;
  Lifetime(const Lifetime&) = delete;
  Lifetime& operator=(const Lifetime&) = delete;

  /// `function` as long as this object lives, nothing afterwards.
  template <class F>
  [[nodiscard]] auto bind(F function) const {
    return [weak = std::weak_ptr<char>(token_), function = std::move(function)](auto&&... arguments) mutable {
      if (!weak.expired()) function(std::forward<decltype(arguments)>(arguments)...);
    };
  }
  /// Expires with this object.
  [[nodiscard]] std::weak_ptr<char> token() const { return token_; }

 private:
  std::shared_ptr<char> token_ = std::make_shared<char>();
};

}  // namespace kruise::base
