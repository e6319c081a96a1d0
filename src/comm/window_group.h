// A group whose collectives on shared memory go through a WindowExchange, and all else through the
// group that carries messages.
#pragma once

#include "shared_pieces.h"
#include "window_exchange.h"

#include <lockstep/comm/group.h>

#include <memory>

namespace lockstep::comm {

class WindowGroup final : public Group {
 public:
  // `pieces` must outlive the group and its works. `one_host`: reduce-scatter and all-gather may
  // take the shared memory too.
  WindowGroup(std::unique_ptr<Group> messages,
              std::shared_ptr<WindowExchange> exchange,
              const PieceRegistry& pieces,
              bool one_host);

  int rank() const override { return messages_->rank(); }
  int size() const override { return messages_->size(); }
  std::string backend() const override { return "shared+" + messages_->backend(); }
  std::unique_ptr<Work> all_reduce_async(
      void* buffer, std::size_t count, DType type, ReduceOp op, gpu::StreamHandle ready) override;
  std::unique_ptr<Work> broadcast_async(
      void* buffer, std::size_t count, DType type, int root, gpu::StreamHandle ready) override;
  std::unique_ptr<Work> all_gather_async(
      const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) override;
  std::unique_ptr<Work> reduce_scatter_async(const void* in,
                                             void* out,
                                             std::size_t count,
                                             DType type,
                                             ReduceOp op,
                                             gpu::StreamHandle ready) override;
  std::unique_ptr<Work> all_to_all_async(
      const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) override;
  std::unique_ptr<Work> send_async(
      const void* buffer, std::size_t count, DType type, int to, gpu::StreamHandle ready) override;
  std::unique_ptr<Work> receive_async(
      void* buffer, std::size_t count, DType type, int from, gpu::StreamHandle ready) override;

 private:
  std::unique_ptr<Work> post(const WindowCall& call);

  std::unique_ptr<Group> messages_;
  std::shared_ptr<WindowExchange> exchange_;
  const PieceRegistry& pieces_;
  bool one_host_;
};

}  // namespace lockstep::comm
