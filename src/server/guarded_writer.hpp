// The writer of a cache that writes behind to a database: nothing is written while another
// process may have its place.
//
// Threads: any, as every writer.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "larder/writer.hpp"
#include "server/sole_writer.hpp"

namespace larder {

class GuardedWriter final : public Writer<std::string, std::string> {
 public:
  GuardedWriter(std::shared_ptr<Writer<std::string, std::string>> writer,
                std::shared_ptr<const SoleWriter> sole)
      : writer_{std::move(writer)}, sole_{std::move(sole)} {}

  void submit(std::vector<Write<std::string, std::string>> writes, Begin begin,
              Done done) override {
    const auto lost = sole_->lost();
    if (!lost) return writer_->submit(std::move(writes), std::move(begin), std::move(done));
    if (!begin()) return;
    done(std::vector<Result<Stored<std::string>>>(writes.size(), std::unexpected{*lost}));
  }
  [[nodiscard]] std::string describe() const override { return writer_->describe(); }
  [[nodiscard]] bool removes() const override { return writer_->removes(); }
  [[nodiscard]] bool keeps_marks() const override { return writer_->keeps_marks(); }
  [[nodiscard]] std::size_t most_writes() const override { return writer_->most_writes(); }

 private:
  const std::shared_ptr<Writer<std::string, std::string>> writer_;
  const std::shared_ptr<const SoleWriter> sole_;
};

}  // namespace larder
