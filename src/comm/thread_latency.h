// Asks the kernel to run a thread soon after it wakes.
#pragma once

namespace lockstep::comm {

// The calling thread wakes within microseconds of its timer and, on kernels with a slice of one's
// own for ordinary threads (Linux 6.12 and newer), takes the core from a busy compute thread at
// once: without it a nap of 40 us next to a full core lasts a whole slice, about 4 ms. Needs no
// privilege; where the kernel does not know it, nothing changes.
void prefer_low_latency();

}  // namespace lockstep::comm
