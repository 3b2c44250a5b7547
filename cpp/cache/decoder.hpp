// From bytes to objects of one kind.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "api/decode.hpp"
#include "base/result.hpp"
#include "cache/envelope.hpp"

namespace kruise::cache {

/// Called on the cache's executor only; may keep scratch memory and shared parts between calls.
template <class T>
class Decoder {
 public:
  using Decoded = base::Result<std::shared_ptr<const T>, api::DecodeError>;
  /// Takes each item of a page: the object or why it is none, and the item's bytes (to find out which object is at fault).
  using Each = std::function<void(Decoded, std::string_view json)>;

  virtual ~Decoder() = default;
  /// `json` is one object; `client::Client::kPadding` readable bytes follow it.
  [[nodiscard]] virtual Decoded decode(std::string_view json) = 0;
  /// A page of a list, padded as above. A page that is no JSON ends with a syntax error, and counts for nothing.
  [[nodiscard]] virtual base::Result<ListMeta, api::DecodeError> decode_page(std::string_view page, const Each& each) {
    return for_each_item(page, [&](std::string_view json) { each(decode(json), json); });
  }
  /// Bytes that an object takes in memory, as far as it does not share them.
  [[nodiscard]] virtual std::size_t bytes_of(const T&, std::string_view json) const { return json.size(); }
  /// Bytes of the parts that objects share.
  [[nodiscard]] virtual std::size_t shared_bytes() const { return 0; }
  /// Nothing is going on: let go of what nobody uses.
  virtual void trim() {}
};

/// A decoder of a function from `std::string_view` to `Result<shared_ptr<const T>, DecodeError>`.
template <class T, class F>
[[nodiscard]] std::unique_ptr<Decoder<T>> decoder_from(F function) {
  class FunctionDecoder final : public Decoder<T> {
   public:
    explicit FunctionDecoder(F f) : function_(std::move(f)) {}
    typename Decoder<T>::Decoded decode(std::string_view json) override { return function_(json); }

   private:
    F function_;
  };
  return std::make_unique<FunctionDecoder>(std::move(function));
}

}  // namespace kruise::cache
