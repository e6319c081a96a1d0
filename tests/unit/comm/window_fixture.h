// Threads as the ranks of a host, with memory that all of them see.
#pragma once

#include "comm/shared_pieces.h"
#include "comm/window_exchange.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace lockstep::comm::test {

class WindowHost {
 public:
  // `size_bytes` of memory a rank.
  WindowHost(int ranks, std::size_t size_bytes, double timeout_s = 60)
      : board_(std::make_unique<WindowRow[]>(static_cast<std::size_t>(ranks))) {
    SharedPieces pieces;
    pieces.size_bytes = size_bytes;
    for (int rank = 0; rank < ranks; ++rank) {
      memory_.push_back(std::make_unique<std::byte[]>(size_bytes));
      pieces.base.push_back(memory_.back().get());
    }
    for (int rank = 0; rank < ranks; ++rank) {
      registries_.push_back(std::make_unique<PieceRegistry>(rank));
      registries_.back()->add(pieces);
      WindowOptions options;
      options.place = {"data", rank, ranks};
      options.local_rank = rank;
      options.spin = false;
      options.timeout_s = timeout_s;
      options.on_failure = [this](const Error&) { ++num_failures; };
      exchanges_.push_back(
          std::make_shared<WindowExchange>(std::span(board_.get(), static_cast<std::size_t>(ranks)),
                                           *registries_.back(),
                                           nullptr,
                                           options));
    }
  }

  int size() const { return static_cast<int>(memory_.size()); }
  std::byte* memory(int rank) { return memory_[static_cast<std::size_t>(rank)].get(); }
  float* floats(int rank) { return reinterpret_cast<float*>(memory(rank)); }
  std::shared_ptr<WindowExchange> exchange(int rank) {
    return exchanges_[static_cast<std::size_t>(rank)];
  }
  const PieceRegistry& pieces(int rank) { return *registries_[static_cast<std::size_t>(rank)]; }

  // `rank_main` of every rank at once.
  void run(const std::function<void(int rank)>& rank_main) {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < size(); ++rank) threads.emplace_back(rank_main, rank);
  }

  std::atomic<int> num_failures{0};

 private:
  std::unique_ptr<WindowRow[]> board_;
  std::vector<std::unique_ptr<std::byte[]>> memory_;
  std::vector<std::unique_ptr<PieceRegistry>> registries_;
  std::vector<std::shared_ptr<WindowExchange>> exchanges_;
};

}  // namespace lockstep::comm::test
