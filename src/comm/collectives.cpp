// Blocking conveniences of the control plane, on top of the asynchronous interface.
#include <lockstep/base/error.h>
#include <lockstep/comm/group.h>

#include <algorithm>

namespace lockstep::comm {

void all_reduce(Group& group, std::span<double> values, ReduceOp op) {
  group.all_reduce_async(values.data(), values.size(), DType::kF64, op, {})->wait({});
}

void all_reduce(Group& group, std::span<std::int64_t> values, ReduceOp op) {
  group.all_reduce_async(values.data(), values.size(), DType::kI64, op, {})->wait({});
}

void broadcast(Group& group, std::span<std::byte> bytes, int root) {
  group.broadcast_async(bytes.data(), bytes.size(), DType::kU8, root, {})->wait({});
}

std::string broadcast_text(Group& group, const std::string& text, int root) {
  std::int64_t length = static_cast<std::int64_t>(text.size());
  group.broadcast_async(&length, 1, DType::kI64, root, {})->wait({});
  std::string result = group.rank() == root ? text : std::string();
  result.resize(static_cast<std::size_t>(length));
  if (length > 0) broadcast(group, std::as_writable_bytes(std::span(result)), root);
  return result;
}

std::vector<std::string> all_gather_text(Group& group, const std::string& text) {
  const auto ranks = static_cast<std::size_t>(group.size());
  const std::int64_t own = static_cast<std::int64_t>(text.size());
  std::vector<std::int64_t> lengths(ranks);
  group.all_gather_async(&own, lengths.data(), 1, DType::kI64, {})->wait({});
  // Padded to the longest: one collective, and texts of the control plane are short.
  const auto longest = static_cast<std::size_t>(*std::max_element(lengths.begin(), lengths.end()));
  std::vector<std::string> texts(ranks);
  if (longest == 0) return texts;
  std::string padded = text;
  padded.resize(longest);
  std::string all(ranks * longest, '\0');
  group.all_gather_async(padded.data(), all.data(), longest, DType::kU8, {})->wait({});
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    texts[rank] = all.substr(rank * longest, static_cast<std::size_t>(lengths[rank]));
  }
  return texts;
}

void barrier(Group& group) {
  std::int64_t nothing = 0;
  all_reduce(group, std::span(&nothing, 1), ReduceOp::kSum);
}

}  // namespace lockstep::comm
