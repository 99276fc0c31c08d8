#include "net/transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/check.h"

namespace kehu::net {

Transport::Transport(Socket socket, const TlsContext* tls) : socket_(std::move(socket)) {
  if (tls != nullptr) tls_ = tls->accept(socket_.native_handle());
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  const int on = 1;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Transport Transport::adopt(EventLoop& loop, int descriptor, int family, const TlsContext* tls) {
  Socket socket(loop.context());
  boost::system::error_code ec;
  socket.assign(boost::asio::generic::stream_protocol(family, 0), descriptor, ec);
  KEHU_CHECK(!ec);
  return Transport(std::move(socket), tls);
}

Transport::Outcome Transport::read(char* to, size_t size) {
  if (tls_ != nullptr) return tls_->read(to, size);
  ssize_t count;
  do {
    count = ::recv(socket_.native_handle(), to, size, 0);
  } while (count < 0 && errno == EINTR);
  if (count > 0) return {.bytes = static_cast<size_t>(count)};
  return {.closed = count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)};
}

Transport::Outcome Transport::write(std::span<const iovec> parts) {
  if (tls_ != nullptr) return tls_->write(parts);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  ssize_t count;
  do {
    count = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count >= 0) return {.bytes = static_cast<size_t>(count)};
  return {.closed = errno != EAGAIN && errno != EWOULDBLOCK};
}

void Transport::finish_writing() {
  if (tls_ != nullptr) tls_->say_goodbye();
  ::shutdown(socket_.native_handle(), SHUT_WR);
}

void Transport::break_off() {
  const linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
  tls_.reset();  // without a goodbye
  close();
}

void Transport::close() {
  if (tls_ != nullptr) tls_->say_goodbye();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace kehu::net
