#include "base/cpu_profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <future>

namespace kruise::base {
namespace {

using namespace std::chrono_literals;

/// The words of a profile up to the memory map, and the map.
struct Read {
  std::vector<std::uintptr_t> header;
  std::vector<std::vector<std::uintptr_t>> stacks;
  std::string map;
};

Read read(const std::string& profile) {
  std::size_t at = 0;
  const auto word = [&] {
    std::uintptr_t value = 0;
    EXPECT_LE(at + sizeof(value), profile.size());
    std::memcpy(&value, profile.data() + at, sizeof(value));
    at += sizeof(value);
    return value;
  };
  Read result;
  for (int i = 0; i < 5; ++i) result.header.push_back(word());
  while (at < profile.size()) {
    const std::uintptr_t count = word();
    std::vector<std::uintptr_t> stack(word());
    for (auto& address : stack) address = word();
    if (count == 0) {
      EXPECT_THAT(stack, testing::ElementsAre(0));
      break;
    }
    result.stacks.push_back(std::move(stack));
  }
  result.map = profile.substr(at);
  return result;
}

__attribute__((noinline)) std::uint64_t burn(const std::atomic<bool>& enough) {
  std::uint64_t x = 1;
  while (!enough) x = x * 6364136223846793005U + 1442695040888963407U;
  return x;
}

TEST(CpuProfile, FindsTheBusyFunctionOfAnyThread) {
  std::atomic<bool> enough = false;
  Thread busy("busy", [&](const std::stop_token&) { EXPECT_NE(burn(enough), 0U); });
  Signal never;
  auto profile = cpu_profile(10ms, never);
  std::vector<std::vector<std::uintptr_t>> stacks;
  while (profile && stacks.size() < 10) {  // how much CPU time it gets is the machine's affair
    const Read one = read(*profile);
    EXPECT_THAT(one.header, testing::ElementsAre(0, 3, 0, 10'000, 0));
    EXPECT_THAT(one.map, testing::HasSubstr("test_base"));
    stacks.insert(stacks.end(), one.stacks.begin(), one.stacks.end());
    profile = cpu_profile(100ms, never);
  }
  enough = true;
  ASSERT_TRUE(profile);
  const auto start = reinterpret_cast<std::uintptr_t>(&burn);
  const auto is_in_burn = [&](std::uintptr_t address) { return address >= start && address < start + 256; };
  const auto in_burn = std::ranges::count_if(stacks, [&](const auto& stack) { return std::ranges::any_of(stack, is_in_burn); });
  EXPECT_GE(in_burn, 8);
}

TEST(CpuProfile, OneAtATimeAndStoppable) {
  Signal stop;
  Signal never;
  auto first = std::async(std::launch::async, [&] {
    auto profile = cpu_profile(1h, stop);
    while (!profile) profile = cpu_profile(1h, stop);  // ours below was quicker
    return profile;
  });
  while (cpu_profile(0s, never)) {
  }  // until the first has begun
  stop.set();
  EXPECT_TRUE(first.get());
}

}  // namespace
}  // namespace kruise::base
