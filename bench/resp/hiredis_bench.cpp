// The peer: hiredis, on the same bytes and in the same run. Its reader copies
// requests and replies alike into a tree, so it stands beside both decoders; for
// requests it does more than CommandDecoder, which copies nothing.
#include <benchmark/benchmark.h>
#include <hiredis/hiredis.h>

#include <cstdlib>
#include <string>

#include "traffic.hpp"

namespace larder::resp {
namespace {

void read_with_hiredis(benchmark::State& state, const std::string& bytes) {
  redisReader* const reader = redisReaderCreate();
  for (auto _ : state) {
    redisReaderFeed(reader, bytes.data(), bytes.size());
    void* reply = nullptr;
    while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply != nullptr) {
      freeReplyObject(reply);
    }
  }
  redisReaderFree(reader);
  state.SetItemsProcessed(state.iterations() * kPipeline);
}

void BM_HiredisDecodePipelinedGet(benchmark::State& state) { read_with_hiredis(state, gets()); }
void BM_HiredisDecodePipelinedSet(benchmark::State& state) { read_with_hiredis(state, sets()); }
void BM_HiredisDecodeBulkReplies(benchmark::State& state) {
  read_with_hiredis(state, bulk_replies());
}
void BM_HiredisDecodeArrayReply(benchmark::State& state) {
  read_with_hiredis(state, array_reply());
}
BENCHMARK(BM_HiredisDecodePipelinedGet);
BENCHMARK(BM_HiredisDecodePipelinedSet);
BENCHMARK(BM_HiredisDecodeBulkReplies);
BENCHMARK(BM_HiredisDecodeArrayReply);

void BM_HiredisWriteGetRequest(benchmark::State& state) {
  for (auto _ : state) {
    for (int i = 0; i < kPipeline; ++i) {
      const char* arguments[] = {"GET", "key:000000000042"};
      const std::size_t sizes[] = {3, 16};
      char* command = nullptr;
      benchmark::DoNotOptimize(redisFormatCommandArgv(&command, 2, arguments, sizes));
      redisFreeCommand(command);
    }
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
}
BENCHMARK(BM_HiredisWriteGetRequest);

}  // namespace
}  // namespace larder::resp
