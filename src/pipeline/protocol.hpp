// What a Connection and a Client ask of a protocol.
//
// A protocol is a plain class, of which each connection has one, with
//
//   Reply, Session, Options        types; Protocol is made of Options
//   place()                        where the server is
//   handshake()                    what is said first: write(OutputBuffer&) has it to be sent,
//                                  take(Reply) says the next Step, then session() or error()
//   decode(bytes, used)            the reply at the front, which take() gives, as an Outcome, and
//                                  how many bytes it took; error() is half a sentence
//   judge(reply)                   whether the connection goes on behind it
//   of_tls()                       what is said behind an error where the other side may speak TLS,
//                                  and was not to, or the other way round; optional
//
// and for a Client
//
//   Writer                         what commands are written with; made of an OutputBuffer
//   Events                         a ClientEvents<Session>
//   id(session)                    of which a submission may want the same; kAnother says that
//                                  it is not
//   pushed(events, message)        tells of a message that answers no command
//   Options                        has timeout (Duration, of a command that names no other),
//                                  connect_timeout, backoff (between attempts to connect), and the
//                                  limits most_commands (without an answer yet) and most_unsent
//                                  (bytes not taken by a write yet), past which it refuses
//
// A Session with a `number` gets that of its connection: 1, 2, ….
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <string>

namespace larder::pipeline {

// Of a handshake.
enum class Step : std::uint8_t {
  kSend,    // more is to be sent, and its reply taken
  kWait,    // another reply is to be taken
  kDone,    // session() is known
  kFailed,  // error() says why; the connection is to be closed
};

// Of decoding.
enum class Outcome : std::uint8_t {
  kReply,
  kPush,  // a message that answers no command
  kNeedMore,
  kError,  // behind which nothing can be understood
};

// Of a reply.
struct Judgement {
  std::string end{};    // why the connection ends with it, half a sentence; empty: it goes on
  bool answers = true;  // the oldest command; else that gets the connection's end
};

// Where a server is.
struct Place {
  std::string name{};  // for messages
  std::string host{};
  std::uint16_t port = 0;
  std::string socket{};  // a path; empty: host and port
};

}  // namespace larder::pipeline
