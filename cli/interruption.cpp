#include <unroll/cli/interruption.hpp>

#include <atomic>
#include <csignal>

namespace unroll::cli {

namespace {

// A handler may touch nothing but this.
std::atomic<int> received = 0;
static_assert(std::atomic<int>::is_always_lock_free);

void note(int number) { received = number; }

void set_handler(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  for (int number : {SIGINT, SIGTERM}) sigaction(number, &action, nullptr);
}

}  // namespace

Interruption::Interruption() {
  received = 0;
  set_handler(note);
}

Interruption::~Interruption() { set_handler(SIG_DFL); }

int Interruption::signal() { return received; }

}  // namespace unroll::cli
