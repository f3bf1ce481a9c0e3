// Writes again what was decoded, for tests that compare the two ways.
#pragma once

#include "resp/reply_decoder.hpp"
#include "resp/reply_writer.hpp"

namespace larder::resp {

inline void write(ReplyWriter& writer, const Reply& reply) {
  switch (reply.kind) {
    case Reply::Kind::kNull: writer.null(); break;
    case Reply::Kind::kSimple: writer.simple(reply.text); break;
    case Reply::Kind::kError: writer.error(reply.text); break;
    case Reply::Kind::kBulk: writer.bulk(reply.text); break;
    case Reply::Kind::kVerbatim: writer.verbatim("txt", reply.text); break;
    case Reply::Kind::kBigNumber: writer.big_number(reply.text); break;
    case Reply::Kind::kInteger: writer.integer(reply.integer); break;
    case Reply::Kind::kBoolean: writer.boolean(reply.integer == 1); break;
    case Reply::Kind::kReal: writer.real(reply.real); break;
    case Reply::Kind::kArray: writer.array(reply.items.size()); break;
    case Reply::Kind::kSet: writer.set(reply.items.size()); break;
    case Reply::Kind::kMap: writer.map(reply.items.size() / 2); break;
    case Reply::Kind::kPush: writer.push(reply.items.size()); break;
  }
  for (const Reply& item : reply.items) write(writer, item);
}

}  // namespace larder::resp
