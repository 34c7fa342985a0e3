#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace unroll {

// A few consecutive steps of all streams: at each, the symbols that are seen and those that come next.
struct TextWindow {
  std::int64_t steps = 0, streams = 0;        // how many
  std::vector<std::int64_t> inputs, targets;  // step after step, stream within step

  // What all streams see at one step, counted from 0.
  std::span<const std::int64_t> inputs_at(std::int64_t step) const {
    return std::span(inputs).subspan(static_cast<std::size_t>(step * streams), static_cast<std::size_t>(streams));
  }
};

// A long text, ready for truncated BPTT: it is cut into equal streams that run side by side (the batch), and these into windows of a few steps.
// Windows follow each other without a gap, so that the state of one is the right first state of the next. What is left over at the end of
// the text, less than one character a stream, is not used. A short text makes fewer streams, so that each fills a window.
class TextStreams {
 public:
  // Throws Error if the text has less than two symbols, for then nothing comes next.
  TextStreams(std::vector<std::int64_t> text, std::int64_t streams, std::int64_t steps);

  // How many run side by side.
  std::int64_t streams() const { return streams_; }
  // How many one pass over the text has.
  std::int64_t windows() const { return (length_ + steps_ - 1) / steps_; }
  // Predictions in one pass over all windows.
  std::int64_t predictions() const { return length_ * streams_; }
  // Window 0 .. windows() - 1; the last may have fewer steps.
  TextWindow window(std::int64_t index) const;

 private:
  std::vector<std::int64_t> text_;
  std::int64_t streams_ = 1, steps_ = 1, length_ = 0;
};

}  // namespace unroll
