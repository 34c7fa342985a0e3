#pragma once

namespace unroll::cli {

// While it lives, the first Ctrl-C (SIGINT) or SIGTERM is only noted, so that work can come to a good end. The second one ends
// the program at once, as usual.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // The number of the signal that came; 0 if none did.
  static int signal();
};

}  // namespace unroll::cli
