#include <unroll/layers/text_streams.hpp>

#include <unroll/layers/options.hpp>

#include <algorithm>

namespace unroll {

TextStreams::TextStreams(std::vector<std::int64_t> text, std::int64_t streams, std::int64_t steps)
    : text_(std::move(text)), steps_(steps) {
  require_positive("text", "streams", streams);
  require_positive("text", "steps", steps);
  const std::int64_t predictions = static_cast<std::int64_t>(text_.size()) - 1;
  if (predictions < 1)
    throw Error(
        fmt::format("text: {} characters are too few: there must be one to see and one to predict", text_.size()));
  streams_ = std::clamp<std::int64_t>(predictions / steps, 1, streams);
  length_ = predictions / streams_;
}

TextWindow TextStreams::window(std::int64_t index) const {
  const std::int64_t first = index * steps_;
  TextWindow window{.steps = std::min(steps_, length_ - first), .streams = streams_, .inputs = {}, .targets = {}};
  for (std::int64_t t = first; t < first + window.steps; ++t)
    for (std::int64_t stream = 0; stream < streams_; ++stream) {
      const auto position = static_cast<std::size_t>(stream * length_ + t);
      window.inputs.push_back(text_[position]);
      window.targets.push_back(text_[position + 1]);
    }
  return window;
}

}  // namespace unroll
