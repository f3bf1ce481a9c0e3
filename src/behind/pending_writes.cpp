#include "behind/pending_writes.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace larder::behind {

namespace {

// Looked at for one that covers those before; bounds what a sending costs.
constexpr std::size_t kLongestRun = 1000;

std::uint64_t bytes_of(std::string_view key, const std::optional<std::string>& value) {
  return key.size() + (value ? value->size() : 0);
}

// Adds what `more` has; a field is null where both say so.
void unite(Fields& fields, const Fields& more) {
  for (const Field& field : more) {
    const auto at = std::ranges::lower_bound(fields, field.name, {}, &Field::name);
    if (at != fields.end() && at->name == field.name) {
      at->null = at->null && field.null;
    } else {
      fields.insert(at, field);
    }
  }
}

}  // namespace

bool PendingWrites::add(std::string_view key, Position position, std::optional<std::string> value,
                        TimePoint now) {
  auto found = keys_.find(key);
  if (found == keys_.end()) found = keys_.emplace(std::string{key}, OfKey{}).first;
  OfKey& of_key = found->second;
  const bool first = of_key.writes.size() == of_key.flushed;
  bytes_ += bytes_of(key, value);
  times_.emplace_hint(times_.end(), position, now);
  // One that was revived from the dead letters may come after later ones.
  auto place = of_key.writes.end();
  const auto movable =
      of_key.writes.begin() + static_cast<std::ptrdiff_t>(of_key.flushed + of_key.out);
  while (place != movable && std::prev(place)->position > position) --place;
  auto fields = fields_of(value);
  of_key.writes.insert(place, {position, std::move(value), std::move(fields)});
  return first;
}

std::shared_ptr<const Fields> PendingWrites::fields_of(const std::optional<std::string>& value) {
  if (!value || !shape_.fields || !shape_.coalesce) return nullptr;
  Fields fields = shape_.fields(*value);
  if (!last_fields_ || *last_fields_ != fields) {
    last_fields_ = std::make_shared<const Fields>(std::move(fields));
  }
  return last_fields_;
}

PendingWrites::Read PendingWrites::begin_read(std::string_view key) {
  const Read read = next_read_++;
  // Of a key without writes, too: some may come and be flushed before it ends.
  auto found = keys_.find(key);
  if (found == keys_.end()) found = keys_.emplace(std::string{key}, OfKey{}).first;
  found->second.reads.push_back(read);
  return read;
}

std::optional<std::string> PendingWrites::seen(std::string_view key, Read read,
                                               std::optional<std::string> loaded) const {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return loaded;
  std::optional<std::string> written;  // since the last removal
  for (const Written& write : found->second.writes) {
    if (!write.counts_for(read)) continue;
    if (!write.value) {
      loaded.reset();
      written.reset();
    } else if (written && shape_.both) {
      written = shape_.both(*written, *write.value);
    } else {
      written = write.value;
    }
  }
  if (!written) return loaded;
  return loaded && shape_.over ? shape_.over(*loaded, *written) : written;
}

std::optional<std::optional<std::string>> PendingWrites::known(std::string_view key,
                                                               Read read) const {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return std::nullopt;
  const bool whole = std::ranges::any_of(found->second.writes, [&](const Written& write) {
    return write.counts_for(read) && (!write.value || !shape_.over);
  });
  if (!whole) return std::nullopt;
  return seen(key, read, std::nullopt);
}

void PendingWrites::end_read(std::string_view key, Read read) {
  const auto found = keys_.find(key);
  assert(found != keys_.end());
  std::erase(found->second.reads, read);
  tidy(found);
}

// How many of the pending writes the next one out stands for.
std::size_t PendingWrites::run(const OfKey& of_key) const {
  const auto begin = of_key.writes.begin() + static_cast<std::ptrdiff_t>(of_key.flushed);
  const std::size_t pending = of_key.writes.size() - of_key.flushed;
  if (!shape_.coalesce) return 1;
  std::size_t run = 1;
  Fields said = begin->fields ? *begin->fields : Fields{};
  bool removed = !begin->value;  // a put does not say what a removal does
  for (std::size_t i = 1; i < std::min(pending, kLongestRun); ++i) {
    const Written& next = begin[static_cast<std::ptrdiff_t>(i)];
    if (!next.value) {
      removed = true;
      run = i + 1;
      continue;
    }
    if (removed) break;  // nor does any later one
    if (!next.fields) {
      run = i + 1;
      continue;
    }
    if (covers(*next.fields, said)) run = i + 1;
    unite(said, *next.fields);
  }
  return run;
}

PendingWrites::Step PendingWrites::send(std::string_view key) {
  OfKey& of_key = keys_.find(key)->second;
  assert(of_key.out == 0 && of_key.writes.size() > of_key.flushed);
  of_key.out = run(of_key);
  const Written& last = of_key.writes[of_key.flushed + of_key.out - 1];
  return {last.value, last.position};
}

std::vector<Position> PendingWrites::applied(std::string_view key) {
  const auto found = keys_.find(key);
  OfKey& of_key = found->second;
  assert(of_key.out > 0);
  std::vector<Position> positions;
  for (; of_key.out > 0; --of_key.out) {
    Written& write = of_key.writes[of_key.flushed++];
    write.flushed = next_read_;
    positions.push_back(write.position);
    take_leave(write, key);
  }
  tidy(found);
  return positions;
}

void PendingWrites::refused(std::string_view key) {
  const auto found = keys_.find(key);
  OfKey& of_key = found->second;
  assert(of_key.out > 0);
  const std::size_t place = of_key.flushed + std::exchange(of_key.out, 0) - 1;
  take_leave(of_key.writes[place], key);
  of_key.writes.erase(of_key.writes.begin() + static_cast<std::ptrdiff_t>(place));
  tidy(found);
}

void PendingWrites::returned(std::string_view key) { keys_.find(key)->second.out = 0; }

bool PendingWrites::pending(std::string_view key) const {
  const auto found = keys_.find(key);
  return found != keys_.end() && found->second.writes.size() > found->second.flushed;
}

std::size_t PendingWrites::count(std::string_view key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? 0 : found->second.writes.size() - found->second.flushed;
}

TimePoint PendingWrites::since(std::string_view key) const {
  const OfKey& of_key = keys_.find(key)->second;
  return times_.find(of_key.writes[of_key.flushed].position)->second;
}

void PendingWrites::take_leave(const Written& write, std::string_view key) {
  bytes_ -= bytes_of(key, write.value);
  times_.erase(write.position);
}

void PendingWrites::tidy(Keys::iterator found) {
  OfKey& of_key = found->second;
  // Reads begin in their order, so the first is the oldest.
  const Read oldest = of_key.reads.empty() ? next_read_ : of_key.reads.front();
  while (of_key.flushed > 0 && *of_key.writes.front().flushed <= oldest) {
    of_key.writes.pop_front();
    --of_key.flushed;
  }
  if (of_key.writes.empty() && of_key.reads.empty()) keys_.erase(found);
}

}  // namespace larder::behind
