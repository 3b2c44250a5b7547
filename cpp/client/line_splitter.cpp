#include "client/line_splitter.hpp"

#include "client/client.hpp"

namespace kruise::client {

LineSplitter::Result LineSplitter::feed(std::string_view bytes, const std::function<bool(std::string_view)>& on_line) {
  std::size_t search = buffer_.size();  // what was held before has no newline
  buffer_.append(bytes);
  const std::size_t size = buffer_.size();
  buffer_.append(Client::kPadding, '\0');
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = std::string_view(buffer_).substr(0, size).find('\n', search);
    if (end == std::string_view::npos) break;
    if (end - begin > line_bytes_max_) return Result::kTooLong;
    if (end > begin && !on_line(std::string_view(buffer_).substr(begin, end - begin))) return Result::kContinue;
    begin = search = end + 1;
  }
  buffer_.resize(size);
  buffer_.erase(0, begin);
  return buffer_.size() > line_bytes_max_ ? Result::kTooLong : Result::kContinue;
}

}  // namespace kruise::client
