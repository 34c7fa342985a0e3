#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace unroll {

// Memory for the values of one tape: allocation moves a pointer, release happens all at once (reset) or back to a mark, and
// what was released is used again. Nothing in it has a destructor.
class Arena {
 public:
  // How far the arena was used.
  struct Mark {
    std::size_t chunk = 0, used = 0;  // the chunk, and how many bytes of it
  };

  // At least `bytes` bytes, aligned to a cache line, or to 16 bytes where the whole fits into less than a line.
  void* allocate(std::size_t bytes) {
    const std::size_t alignment = bytes < 64 ? 16 : 64;
    std::size_t begin = (used_ + alignment - 1) & ~(alignment - 1);
    if (chunk_ >= chunks_.size() || begin + bytes > chunks_[chunk_].size) {
      next_chunk(bytes);
      begin = 0;
    }
    used_ = begin + bytes;
    return chunks_[chunk_].memory.get() + begin;
  }

  // Room for n values of type T, not initialised.
  template <class T> T* allocate_array(std::size_t n) { return static_cast<T*>(allocate(n * sizeof(T))); }

  // How far it is used now.
  Mark mark() const { return {chunk_, used_}; }
  // Releases what was allocated since the mark.
  void rollback(Mark mark) {
    chunk_ = mark.chunk;
    used_ = mark.used;
  }
  // Releases everything, and keeps the memory for what comes.
  void reset() { rollback({}); }

  // What is held from the system, in bytes; it does not shrink.
  std::size_t reserved() const {
    std::size_t total = 0;
    for (const Chunk& chunk : chunks_) total += chunk.size;
    return total;
  }

 private:
  static constexpr std::size_t first_chunk = std::size_t{1} << 16, largest_step = std::size_t{1} << 24;

  struct Free {
    void operator()(std::byte* memory) const { ::operator delete (memory, std::align_val_t{64}); }
  };
  struct Chunk {
    std::unique_ptr<std::byte, Free> memory;
    std::size_t size;
  };

  // Moves to the next chunk that is large enough; chunks double in size up to a limit. Chunks too small for this request
  // are skipped until the next reset.
  void next_chunk(std::size_t bytes) {
    std::size_t next = chunks_.empty() ? 0 : chunk_ + 1;
    while (next < chunks_.size() && chunks_[next].size < bytes) ++next;
    if (next >= chunks_.size()) {
      const std::size_t step = chunks_.empty() ? first_chunk : std::min(2 * chunks_.back().size, largest_step);
      const std::size_t size = std::max(step, bytes);
      chunks_.push_back(
          {std::unique_ptr<std::byte, Free>(static_cast<std::byte*>(::operator new (size, std::align_val_t{64}))),
           size});
      next = chunks_.size() - 1;
    }
    chunk_ = next;
    used_ = 0;
  }

  std::vector<Chunk> chunks_;
  std::size_t chunk_ = 0, used_ = 0;
};

}  // namespace unroll
