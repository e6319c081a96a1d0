#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/comm/options.h>

namespace lockstep::comm {

void bind_options(OptionTable& table, Options& options) {
  table.add("comm",
            "backend",
            options.backend,
            "What carries gradients. auto: NCCL when every rank has a GPU of its own, else shared "
            "memory inside a host and MPI between hosts. mpi: messages of MPI everywhere; on GPUs "
            "it stages gradients through host memory.",
            {"auto", "mpi", "nccl"});
  table.add(
      "comm",
      "wire",
      options.wire,
      "Number format of gradients on their way between ranks. bf16 and fp16 halve the bytes "
      "and round; what rounding takes is added to the next step's gradient. Inside a host on "
      "the CPU they cost more than they save. fp16 overflows above 65504, which skips a step.",
      {"fp32", "bf16", "fp16"});
  table.add("comm",
            "bucket_mib",
            options.bucket_mib,
            "MiB",
            "Size of a gradient bucket, reduced as one while backward goes on. Small ones start "
            "earlier, large ones use the line better. auto: the ranks rehearse some 20 steps on "
            "blank images with buckets of one to 256 times first_bucket_mib and keep the fastest. "
            "No effect on one rank.");
  table.add("comm",
            "first_bucket_mib",
            options.first_bucket_mib,
            "MiB",
            "Size of the bucket that is full first, small so that reduction starts early in "
            "backward.");
  table.add(
      "comm",
      "max_ctas",
      options.max_ctas,
      "",
      "Thread blocks that NCCL may take for a reduction, which compute then lacks: fewer slow "
      "the reduction and leave backward alone. 0: NCCL's choice. No effect without NCCL.");
  table.add("comm",
            "stream_priority",
            options.stream_priority,
            "Of the stream that NCCL works on: high takes free thread blocks before compute does, "
            "so that reductions start at once; normal leaves backward alone. No effect without "
            "NCCL.",
            {"high", "normal"});
  table.add("comm",
            "timeout_s",
            options.timeout_s,
            "s",
            "A reduction that takes longer ends the run with code 80, because a peer is lost.");
}

void validate(const Options& options) {
  if (options.bucket_mib && *options.bucket_mib <= 0) {
    throw config_error(
        format("comm.bucket_mib = {} is not positive: 4 is the default, auto lets "
               "the ranks measure",
               *options.bucket_mib));
  }
  if (options.first_bucket_mib <= 0) {
    throw config_error(format("comm.first_bucket_mib = {} is not positive: 0.25 is the default",
                              options.first_bucket_mib));
  }
  if (options.max_ctas < 0 || options.max_ctas > 64) {
    throw config_error(
        format("comm.max_ctas = {} is not within 0 to 64: 0 is NCCL's choice", options.max_ctas));
  }
  if (options.timeout_s <= 0) {
    throw config_error(
        format("comm.timeout_s = {} is not positive: 600 is the default", options.timeout_s));
  }
}

}  // namespace lockstep::comm
