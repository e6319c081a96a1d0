#include "window_group.h"

#include <utility>

namespace lockstep::comm {
namespace {

class WindowWork final : public Work {
 public:
  WindowWork(std::shared_ptr<WindowExchange> exchange, std::shared_ptr<WindowOperation> operation)
      : exchange_(std::move(exchange)), operation_(std::move(operation)) {}
  bool done() override {
    if (!operation_->finished()) exchange_->advance();
    return operation_->finished();
  }
  void wait(gpu::StreamHandle /*stream*/) override { exchange_->wait(*operation_); }
  double busy_s() override {
    return operation_->finished() ? operation_->end_s - operation_->start_s : 0;
  }

 private:
  std::shared_ptr<WindowExchange> exchange_;
  std::shared_ptr<WindowOperation> operation_;
};

}  // namespace

WindowGroup::WindowGroup(std::unique_ptr<Group> messages,
                         std::shared_ptr<WindowExchange> exchange,
                         const PieceRegistry& pieces,
                         bool one_host)
    : messages_(std::move(messages)),
      exchange_(std::move(exchange)),
      pieces_(pieces),
      one_host_(one_host) {}

std::unique_ptr<Work> WindowGroup::post(const WindowCall& call) {
  return std::make_unique<WindowWork>(exchange_, exchange_->post(call));
}

std::unique_ptr<Work> WindowGroup::all_reduce_async(
    void* buffer, std::size_t count, DType type, ReduceOp op, gpu::StreamHandle ready) {
  const auto place = pieces_.find(buffer, count * size_bytes(type));
  if (!place) return messages_->all_reduce_async(buffer, count, type, op, ready);
  return post({WindowVerb::kAllReduce, type, op, count, *place, nullptr, nullptr});
}

std::unique_ptr<Work> WindowGroup::broadcast_async(
    void* buffer, std::size_t count, DType type, int root, gpu::StreamHandle ready) {
  return messages_->broadcast_async(buffer, count, type, root, ready);
}

std::unique_ptr<Work> WindowGroup::all_gather_async(
    const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) {
  const std::size_t total = count * size_bytes(type) * static_cast<std::size_t>(size());
  const auto place = pieces_.find(out, total);
  if (!place || !one_host_) return messages_->all_gather_async(in, out, count, type, ready);
  return post({WindowVerb::kAllGather,
               type,
               ReduceOp::kSum,
               count,
               *place,
               static_cast<const std::byte*>(in),
               nullptr});
}

std::unique_ptr<Work> WindowGroup::reduce_scatter_async(const void* in,
                                                        void* out,
                                                        std::size_t count,
                                                        DType type,
                                                        ReduceOp op,
                                                        gpu::StreamHandle ready) {
  const std::size_t total = count * size_bytes(type) * static_cast<std::size_t>(size());
  const auto place = pieces_.find(in, total);
  if (!place || !one_host_) {
    return messages_->reduce_scatter_async(in, out, count, type, op, ready);
  }
  return post(
      {WindowVerb::kReduceScatter, type, op, count, *place, nullptr, static_cast<std::byte*>(out)});
}

std::unique_ptr<Work> WindowGroup::all_to_all_async(
    const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) {
  return messages_->all_to_all_async(in, out, count, type, ready);
}

std::unique_ptr<Work> WindowGroup::send_async(
    const void* buffer, std::size_t count, DType type, int to, gpu::StreamHandle ready) {
  return messages_->send_async(buffer, count, type, to, ready);
}

std::unique_ptr<Work> WindowGroup::receive_async(
    void* buffer, std::size_t count, DType type, int from, gpu::StreamHandle ready) {
  return messages_->receive_async(buffer, count, type, from, ready);
}

}  // namespace lockstep::comm
