#include "host/stop_signal.h"

#include <csignal>
#include <ctime>

namespace kehu::host {
namespace {

sigset_t signals_of(StopSignal::Hangup hangup) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (hangup == StopSignal::Hangup::kReloads) sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

StopSignal::StopSignal(Hangup hangup) : hangup_(hangup) {
  const sigset_t signals = signals_of(hangup_);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool StopSignal::wait(Duration patience) {
  const sigset_t signals = signals_of(hangup_);
  const timespec time{.tv_sec = patience.micros() / 1'000'000,
                      .tv_nsec = patience.micros() % 1'000'000 * 1000};
  const int signal = sigtimedwait(&signals, nullptr, &time);
  reload_ = reload_ || signal == SIGHUP;
  return signal > 0 && signal != SIGHUP;
}

}  // namespace kehu::host
