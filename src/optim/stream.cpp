#include <lockstep/optim/stream.h>

#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace lockstep::optim {

gpu::StreamHandle current_stream(const c10::Device& device) {
  if (device.is_cpu()) return {};
  const c10::impl::VirtualGuardImpl guard(device.type());
  return {guard.getStreamNativeHandle(guard.getStream(device))};
}

}  // namespace lockstep::optim
