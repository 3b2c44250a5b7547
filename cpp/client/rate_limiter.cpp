#include "client/rate_limiter.hpp"

#include <algorithm>

namespace kruise::client {

base::Duration RateLimiter::reserve(std::string_view caller, base::MonoTime now) {
  const double full = std::max(rate_.burst, 1);
  auto found = buckets_.find(caller);
  if (found == buckets_.end()) found = buckets_.emplace(caller, Bucket{full, now}).first;
  Bucket& bucket = found->second;
  const double elapsed_s = std::chrono::duration<double>(now - bucket.at).count();
  bucket.tokens = std::min(full, bucket.tokens + elapsed_s * rate_.per_second) - 1;
  bucket.at = now;
  if (bucket.tokens >= 0) return base::Duration{0};
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(-bucket.tokens / rate_.per_second));
}

}  // namespace kruise::client
