// A sink made of two functions, for simulators that follow several kinds.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "cluster/sim/follower.hpp"

namespace kruise::cluster::sim {

class FunctionSink final : public Sink {
 public:
  FunctionSink(std::function<Seen(std::string_view)> seen, std::function<void(const std::string&)> gone)
      : seen_(std::move(seen)), gone_(std::move(gone)) {}
  Seen seen(std::string_view json) override { return seen_(json); }
  void gone(const std::string& key) override { gone_(key); }

 private:
  std::function<Seen(std::string_view)> seen_;
  std::function<void(const std::string&)> gone_;
};

}  // namespace kruise::cluster::sim
