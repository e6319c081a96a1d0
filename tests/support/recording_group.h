// A group of one rank that notes what is reduced and when, and fails on demand.
#pragma once

#include <lockstep/base/error.h>
#include <lockstep/comm/group.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::test {

class RecordingGroup final : public comm::Group {
 public:
  struct Call {
    const float* buffer;
    std::size_t count;
    char verb = 'r';  // all-(r)educe, reduce-(s)catter, all-(g)ather
  };
  std::vector<Call> calls;
  std::vector<std::size_t> waited;  // index of the call
  int fail_at = -1;                 // index of the call that throws, once
  std::vector<const void*> mapped;  // kept so now

  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string backend() const override { return "recording"; }

  std::shared_ptr<void> keep_mapped(void* memory, std::size_t /*size_bytes*/) override {
    mapped.push_back(memory);
    return {memory, [this](void* kept) { std::erase(mapped, kept); }};
  }
  std::unique_ptr<comm::Work> all_reduce_async(void* buffer,
                                               std::size_t count,
                                               comm::DType /*type*/,
                                               comm::ReduceOp /*op*/,
                                               gpu::StreamHandle /*ready*/) override {
    if (fail_at == static_cast<int>(calls.size())) {
      fail_at = -1;
      throw Error(ExitCode::kPeerLost, "the recording group was told to fail");
    }
    calls.push_back({static_cast<const float*>(buffer), count});
    return std::make_unique<NotedWork>(*this, calls.size() - 1);
  }
  std::unique_ptr<comm::Work> broadcast_async(
      void*, std::size_t, comm::DType, int, gpu::StreamHandle) override {
    return nullptr;
  }
  std::unique_ptr<comm::Work> all_gather_async(const void* /*in*/,
                                               void* out,
                                               std::size_t count,
                                               comm::DType /*type*/,
                                               gpu::StreamHandle /*ready*/) override {
    calls.push_back({static_cast<const float*>(out), count, 'g'});
    return std::make_unique<NotedWork>(*this, calls.size() - 1);
  }
  std::unique_ptr<comm::Work> reduce_scatter_async(const void* in,
                                                   void* /*out*/,
                                                   std::size_t count,
                                                   comm::DType /*type*/,
                                                   comm::ReduceOp /*op*/,
                                                   gpu::StreamHandle /*ready*/) override {
    calls.push_back({static_cast<const float*>(in), count, 's'});
    return std::make_unique<NotedWork>(*this, calls.size() - 1);
  }
  std::unique_ptr<comm::Work> all_to_all_async(
      const void*, void*, std::size_t, comm::DType, gpu::StreamHandle) override {
    return nullptr;
  }
  std::unique_ptr<comm::Work> send_async(
      const void*, std::size_t, comm::DType, int, gpu::StreamHandle) override {
    return nullptr;
  }
  std::unique_ptr<comm::Work> receive_async(
      void*, std::size_t, comm::DType, int, gpu::StreamHandle) override {
    return nullptr;
  }

 private:
  class NotedWork final : public comm::Work {
   public:
    NotedWork(RecordingGroup& group, std::size_t index) : group_(group), index_(index) {}
    bool done() override { return true; }
    void wait(gpu::StreamHandle /*stream*/) override { group_.waited.push_back(index_); }
    double busy_s() override { return 0.5; }

   private:
    RecordingGroup& group_;
    std::size_t index_;
  };
};

}  // namespace lockstep::test
