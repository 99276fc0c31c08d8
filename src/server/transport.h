#pragma once

#include <sys/uio.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <span>
#include <string>
#include <utility>  // Asio 1.74 forgets it

namespace kehu::server {

using Socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                boost::asio::io_context::executor_type>;

// Who is at the other end.
struct Peer {
  std::string address;
  bool local = false;  // a unix-domain socket
};

// One connected stream, TCP or unix-domain, never blocking. A connection asks only this for bytes, so TLS
// would sit in here (a BIO pair before the socket) and nobody else would know.
//
// Reading waits for readiness and then reads into a buffer of the thread, instead of handing a buffer to each
// pending read: ten thousand idle connections hold no buffers, at the same number of system calls.
class Transport {
 public:
  explicit Transport(Socket socket);

  struct Outcome {
    size_t bytes = 0;
    bool closed = false;  // end of stream or an error; neither closed nor bytes: would block
  };
  Outcome read(char* to, size_t size);
  Outcome write(std::span<const iovec> parts);

  template <class Ready>
  void wait_readable(Ready ready) {
    socket_.async_wait(Socket::wait_read, std::move(ready));
  }
  template <class Ready>
  void wait_writable(Ready ready) {
    socket_.async_wait(Socket::wait_write, std::move(ready));
  }

  void finish_writing();  // sends FIN
  void close();

 private:
  Socket socket_;
};

}  // namespace kehu::server
