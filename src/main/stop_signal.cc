#include "main/stop_signal.h"

#include <csignal>
#include <ctime>

namespace kehu {
namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

StopSignal::StopSignal() {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool StopSignal::wait(Duration patience) {
  const sigset_t signals = stop_signals();
  const timespec time{.tv_sec = patience.micros() / 1'000'000,
                      .tv_nsec = patience.micros() % 1'000'000 * 1000};
  return sigtimedwait(&signals, nullptr, &time) > 0;
}

}  // namespace kehu
