// What does the wire codec cost per command and per reply? Time per item is time
// per command (or reply), of pipelines of 32.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "resp/command_decoder.hpp"
#include "resp/glob.hpp"
#include "resp/reply_decoder.hpp"
#include "resp/reply_writer.hpp"
#include "resp/request_writer.hpp"
#include "traffic.hpp"

namespace larder::resp {
namespace {

void decode_commands(benchmark::State& state, const std::string& bytes) {
  CommandDecoder decoder;
  for (auto _ : state) {
    std::string_view rest = bytes;
    while (decoder.decode(rest) == CommandDecoder::Outcome::kCommand) {
      benchmark::DoNotOptimize(decoder.arguments().data());
      rest.remove_prefix(decoder.consumed());
    }
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void BM_DecodePipelinedGet(benchmark::State& state) { decode_commands(state, gets()); }
void BM_DecodePipelinedSet(benchmark::State& state) { decode_commands(state, sets()); }
BENCHMARK(BM_DecodePipelinedGet);
BENCHMARK(BM_DecodePipelinedSet);

// One SET of a large value that arrives in reads of 16 KiB.
void BM_DecodeLargeSetInPieces(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::string bytes = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$" + std::to_string(size) + "\r\n" +
                            std::string(size, 'v') + "\r\n";
  for (auto _ : state) {
    CommandDecoder decoder;
    for (std::size_t there = 0; there < bytes.size();) {
      there = std::min(there + (16U << 10), bytes.size());
      benchmark::DoNotOptimize(decoder.decode({bytes.data(), there}));
    }
  }
}
BENCHMARK(BM_DecodeLargeSetInPieces)->Arg(1 << 20)->Arg(16 << 20);

void BM_WriteBulk(benchmark::State& state) {
  OutputBuffer output;
  ReplyWriter writer{output};
  const std::string value(static_cast<std::size_t>(state.range(0)), 'v');
  for (auto _ : state) {
    for (int i = 0; i < kPipeline; ++i) writer.bulk(value);
    output.consume(output.size());
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
}
BENCHMARK(BM_WriteBulk)->Arg(100)->Arg(10'000);

void BM_WriteOk(benchmark::State& state) {
  OutputBuffer output;
  ReplyWriter writer{output};
  for (auto _ : state) {
    for (int i = 0; i < kPipeline; ++i) writer.ok();
    output.consume(output.size());
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
}
BENCHMARK(BM_WriteOk);

void BM_WriteGetRequest(benchmark::State& state) {
  OutputBuffer output;
  RequestWriter writer{output};
  for (auto _ : state) {
    for (int i = 0; i < kPipeline; ++i) writer.command({"GET", "key:000000000042"});
    output.consume(output.size());
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
}
BENCHMARK(BM_WriteGetRequest);

void decode_replies(benchmark::State& state, const std::string& bytes) {
  ReplyDecoder decoder;
  for (auto _ : state) {
    std::string_view rest = bytes;
    while (decoder.decode(rest) == ReplyDecoder::Outcome::kReply) {
      benchmark::DoNotOptimize(decoder.take());
      rest.remove_prefix(decoder.consumed());
    }
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
}

void BM_DecodeBulkReplies(benchmark::State& state) { decode_replies(state, bulk_replies()); }
void BM_DecodeArrayReply(benchmark::State& state) { decode_replies(state, array_reply()); }
BENCHMARK(BM_DecodeBulkReplies);
BENCHMARK(BM_DecodeArrayReply);

void BM_GlobMatches(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(glob_matches("product:*:review", "product:000000000042:review"));
  }
}
BENCHMARK(BM_GlobMatches);

}  // namespace
}  // namespace larder::resp
