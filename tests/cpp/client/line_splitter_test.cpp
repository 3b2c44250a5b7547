#include "client/line_splitter.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "client/client.hpp"

namespace kruise::client {
namespace {

const std::string kStream = "{\"a\":1}\n\n{\"b\":\"\xC3\xA9\"}\n{}\nunfinished";
const std::vector<std::string> kLines = {"{\"a\":1}", "{\"b\":\"\xC3\xA9\"}", "{}"};

/// Feeds pieces and gives the lines; each line's padding is read, so that a sanitizer sees when it is missing.
std::vector<std::string> lines_of(const std::vector<std::string_view>& pieces, bool& has_rest) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  unsigned sum = 0;
  for (const std::string_view piece : pieces) {
    const auto result = splitter.feed(piece, [&](std::string_view line) {
      lines.emplace_back(line);
      for (std::size_t i = 0; i < Client::kPadding; ++i) sum += static_cast<unsigned char>(*(line.data() + line.size() + i));
      return true;
    });
    EXPECT_EQ(result, LineSplitter::Result::kContinue);
  }
  EXPECT_GT(sum, 0U);  // of the newlines
  has_rest = splitter.has_rest();
  return lines;
}

TEST(LineSplitter, CutAtEveryPairOfOffsetsGivesTheSameLines) {
  const std::string_view stream = kStream;
  for (std::size_t a = 0; a <= stream.size(); ++a) {
    for (std::size_t b = a; b <= stream.size(); ++b) {
      bool has_rest = false;
      EXPECT_EQ(lines_of({stream.substr(0, a), stream.substr(a, b - a), stream.substr(b)}, has_rest), kLines) << a << " " << b;
      EXPECT_TRUE(has_rest);
    }
  }
}

TEST(LineSplitter, ByteByByte) {
  std::vector<std::string_view> bytes;
  const std::string_view whole = std::string_view(kStream).substr(0, kStream.size() - 10);
  for (std::size_t i = 0; i < whole.size(); ++i) bytes.push_back(whole.substr(i, 1));
  bool has_rest = true;
  EXPECT_EQ(lines_of(bytes, has_rest), kLines);
  EXPECT_FALSE(has_rest);
}

TEST(LineSplitter, RefusesALineBeyondTheLimit) {
  const auto take = [](std::string_view) { return true; };
  EXPECT_EQ(LineSplitter(8).feed("12345678\n", take), LineSplitter::Result::kContinue);
  EXPECT_EQ(LineSplitter(8).feed("123456789\n", take), LineSplitter::Result::kTooLong);
  LineSplitter endless(8);
  EXPECT_EQ(endless.feed("12345678", take), LineSplitter::Result::kContinue);
  EXPECT_EQ(endless.feed("9", take), LineSplitter::Result::kTooLong);
}

TEST(LineSplitter, StopsWhenTold) {
  int count = 0;
  LineSplitter splitter;
  EXPECT_EQ(splitter.feed("a\nb\nc\n", [&](std::string_view) { return ++count < 2; }), LineSplitter::Result::kContinue);
  EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace kruise::client
