// Token buckets, one a caller, for those who ask for `--kube-api-qps`.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace kruise::client {

struct Rate {
  double per_second = 0;
  int burst = 1;
};

/// One thread.
class RateLimiter {
 public:
  explicit RateLimiter(Rate rate) : rate_(rate) {}
  /// Takes a token of the caller's bucket (its user agent) and returns how long to wait before using it.
  [[nodiscard]] base::Duration reserve(std::string_view caller, base::MonoTime now);

 private:
  struct Bucket {
    double tokens;
    base::MonoTime at;
  };
  Rate rate_;
  std::map<std::string, Bucket, std::less<>> buckets_;  // as many as there are user agents: one a controller
};

}  // namespace kruise::client
