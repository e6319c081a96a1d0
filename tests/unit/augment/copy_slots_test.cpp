// The order of both streams, as a backend that writes down what it is asked for sees it.
#include "copy_slots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace lockstep::augment {
namespace {

using testing::ElementsAre;

char kCopyStream;
char kComputeStream;

// Host memory; events have the numbers in which they were made.
class WritingBackend final : public gpu::Backend {
 public:
  std::vector<std::string> lines;

  bool is_cuda() const override { return true; }
  int device_count() override { return 1; }
  gpu::DeviceInfo info(int /*index*/) override { return {}; }
  void set_device(int /*index*/) override {}
  std::unique_ptr<gpu::Stream> make_stream(bool /*high_priority*/) override {
    struct Copies final : gpu::Stream {
      gpu::StreamHandle handle() const override { return {&kCopyStream}; }
    };
    return std::make_unique<Copies>();
  }
  std::unique_ptr<gpu::Event> make_event(bool /*timing*/) override {
    return std::make_unique<WrittenEvent>(*this, num_events_++);
  }
  std::unique_ptr<gpu::PinnedBuffer> make_pinned(std::size_t size_bytes) override {
    lines.push_back("pin " + std::to_string(size_bytes));
    return gpu::host_backend().make_pinned(size_bytes);
  }
  void copy_to_device_async(void* to,
                            const void* from,
                            std::size_t size_bytes,
                            gpu::StreamHandle stream) override {
    lines.push_back("copy on " + name(stream));
    pending_.push_back({to, from, size_bytes});
  }
  // A device copies when it likes, at the latest here.
  void copy_now() {
    for (const Copy& copy : pending_) std::memcpy(copy.to, copy.from, copy.size_bytes);
    pending_.clear();
  }
  void copy_to_host_async(void*, const void*, std::size_t, gpu::StreamHandle) override {}
  void synchronize(gpu::StreamHandle /*stream*/) override {}
  gpu::StreamHandle compute_stream() override { return {&kComputeStream}; }
  std::optional<gpu::DeviceSample> sample(int /*index*/) override { return std::nullopt; }
  void push_range(const char* /*name*/) override {}
  void pop_range() override {}

 private:
  class WrittenEvent final : public gpu::Event {
   public:
    WrittenEvent(WritingBackend& backend, int number)
        : backend_(backend),
          name_(std::string(number % 2 == 0 ? "copied" : "consumed") + " " +
                std::to_string(number / 2)) {}
    void record(gpu::StreamHandle stream) override {
      backend_.lines.push_back("record " + name_ + " on " + name(stream));
    }
    void make_wait(gpu::StreamHandle stream) override {
      backend_.lines.push_back(name(stream) + " waits for " + name_);
    }
    bool done() override { return true; }
    void synchronize() override { backend_.lines.push_back("host waits for " + name_); }
    double elapsed_ms(gpu::Event& /*earlier*/) override { return 0; }

   private:
    WritingBackend& backend_;
    std::string name_;
  };

  static std::string name(gpu::StreamHandle stream) {
    return stream.native == &kCopyStream ? "copies" : "compute";
  }

  struct Copy {
    void* to;
    const void* from;
    std::size_t size_bytes;
  };

  std::vector<Copy> pending_;
  int num_events_ = 0;
};

TEST(CopySlots, ATurnWaitsForItsReadersAndComputeWaitsForTheCopies) {
  WritingBackend backend;
  CopySlots slots(backend);
  EXPECT_EQ(slots.reusable(), nullptr);
  int to = 0;
  const int from = 7;
  const auto feed = [&](bool moved) {
    backend.lines.clear();
    const std::size_t slot = slots.turn();
    if (moved) slots.moved();
    slots.begin_copies(sizeof(int));
    slots.send(&to, &from, sizeof(int));
    slots.end_copies();
    backend.copy_now();
    EXPECT_EQ(to, 7);
    to = 0;
    return slot;
  };
  EXPECT_EQ(feed(true), 0U);
  EXPECT_THAT(backend.lines,
              ElementsAre("host waits for copied 0",
                          "record consumed 0 on compute",
                          "pin 5",
                          "copies waits for consumed 0",
                          "copy on copies",
                          "record copied 0 on copies",
                          "compute waits for copied 0"));
  EXPECT_EQ(feed(true), 1U);
  EXPECT_EQ(feed(false), 0U);
  // What was launched since slot 1's turn reads slot 1; slot 0 waits for what read it a turn ago.
  EXPECT_THAT(backend.lines,
              ElementsAre("record consumed 1 on compute",
                          "host waits for copied 0",
                          "copies waits for consumed 0",
                          "copy on copies",
                          "record copied 0 on copies",
                          "compute waits for copied 0"));
}

TEST(CopySlots, StagingMemoryIsNotSharedBetweenItemsAndGrows) {
  WritingBackend backend;
  CopySlots slots(backend);
  std::vector<int> a(100);
  std::vector<int> b(100);
  for (const int value : {1, 2, 3}) {
    const std::size_t bytes = sizeof(int) * 50 * static_cast<std::size_t>(value) / 2;
    std::vector<int> from(bytes / sizeof(int), value);
    slots.turn();
    slots.begin_copies(2 * bytes);
    slots.send(a.data(), from.data(), bytes);
    from.assign(from.size(), value + 10);
    slots.send(b.data(), from.data(), bytes);
    slots.end_copies();
    backend.copy_now();
    EXPECT_EQ(a[0], value);
    EXPECT_EQ(b[0], value + 10);
  }
  EXPECT_NE(slots.reusable(), nullptr);
}

}  // namespace
}  // namespace lockstep::augment
