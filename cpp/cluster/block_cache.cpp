// Keeps small blocks that a thread frees for its next allocations, in every program that holds the embedded cluster.
//
// A request reads an object into a tree of some hundred small blocks and drops it again. glibc keeps seven blocks a size for a
// thread; the rest it merges at the next large allocation, to cut it into the same pieces a moment later: a third of the time of
// a rollout. Here the blocks of one tree serve the next. Every block is one of malloc's, so it matters not whether what allocates
// or frees it is compiled into another library, which knows nothing of this.
#include <array>
#include <cstdlib>
#include <new>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they watch each block

namespace {

constexpr std::size_t kBlockBytesMax = 128;
constexpr std::size_t kStepBytes = 8;     // every malloc's blocks have room for a multiple of it
constexpr std::size_t kBlocksMax = 2048;  // of one size, a thread: together at most 2.3 MB; what is more goes back

struct Block {
  Block* next;
};

struct Cache {
  struct Size {
    Block* first = nullptr;
    std::size_t count = 0;
  };
  std::array<Size, kBlockBytesMax / kStepBytes> sizes;
  bool over = false;  // the thread ends; blocks that are freed later go straight back

  ~Cache() {
    over = true;
    for (Size& size : sizes) {
      while (Block* block = size.first) {
        size.first = block->next;
        std::free(block);
      }
    }
  }
};

thread_local Cache cache;

void* allocate(std::size_t bytes) {
  for (;;) {
    if (void* block = std::malloc(bytes > 0 ? bytes : 1)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

}  // namespace

void* operator new(std::size_t bytes) {
  if (bytes > kBlockBytesMax || bytes == 0) return allocate(bytes);
  const std::size_t index = (bytes - 1) / kStepBytes;
  Cache::Size& size = cache.sizes[index];
  if (Block* block = size.first) {
    size.first = block->next;
    --size.count;
    return block;
  }
  return allocate((index + 1) * kStepBytes);
}

void operator delete(void* block, std::size_t bytes) noexcept {
  if (bytes <= kBlockBytesMax && bytes > 0 && block != nullptr) {
    Cache::Size& size = cache.sizes[(bytes - 1) / kStepBytes];
    if (size.count < kBlocksMax && !cache.over) {
      size.first = new (block) Block{size.first};
      ++size.count;
      return;
    }
  }
  std::free(block);
}

void operator delete(void* block) noexcept { std::free(block); }

#endif
