// The time ledger of a device: as Ledger, but its clock is the compute stream's, so that forward
// means the time in which the device ran forward and not the time in which the host enqueued it.
#pragma once

#include <lockstep/gpu/device.h>
#include <lockstep/telemetry/ledger.h>

#include <deque>
#include <memory>
#include <vector>

namespace lockstep::telemetry {

// Every change of bin is a timing event on the compute stream; the time between two neighbours
// belongs to the bin that the first one entered. What the host does while the device is busy costs
// nothing here; what the device waits for is booked to the bin that the host was in meanwhile.
class DeviceLedger final : public Ledger {
 public:
  explicit DeviceLedger(gpu::Backend& backend);

  Bin enter(Bin bin) override;
  void close_step() override;
  // Blocks: until the device has ended that step; ask a step late and nothing is waited for.
  StepTimes read_step() override;

 private:
  struct Mark {
    std::unique_ptr<gpu::Event> event;
    Bin bin;  // entered here
    bool closes_step;
  };

  void mark(Bin bin, bool closes_step);

  gpu::Backend& backend_;
  Bin bin_ = Bin::kOther;
  std::deque<Mark> marks_;                           // front: where the oldest unread step begins
  std::vector<std::unique_ptr<gpu::Event>> spares_;  // nothing is created after the first steps
};

// The ledger for work on `backend`: the host's clock, or a device's.
std::unique_ptr<Ledger> make_ledger(gpu::Backend& backend);

}  // namespace lockstep::telemetry
