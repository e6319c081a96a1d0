// NCCL and the few CUDA calls around it as a table of functions, so that a scripted table can test
// time-outs and failures without a GPU. Types are NCCL's meanings without its header.
#pragma once

#include <cstddef>

namespace lockstep::comm {

// ncclComm_t.
using NcclHandle = void*;

// What a call or a poll says: ncclSuccess, ncclInProgress, or a failure with NCCL's words.
enum class NcclStatus { kDone, kInProgress, kFailed };

struct NcclPlace {
  int rank = 0;
  int size = 1;
  int max_ctas = 0;  // thread blocks a collective may take; 0: NCCL's choice
};

struct NcclApi {
  // ncclCommInitRankConfig with blocking = 0; `id` is an ncclUniqueId.
  NcclStatus (*init)(NcclHandle* handle, const NcclPlace& place, const void* id) = nullptr;
  // ncclCommGetAsyncError.
  NcclStatus (*poll)(NcclHandle handle) = nullptr;
  // ncclCommFinalize, then ncclCommDestroy.
  NcclStatus (*finalize)(NcclHandle handle) = nullptr;
  void (*destroy)(NcclHandle handle) = nullptr;
  // ncclCommAbort: may block for ever when a peer is gone.
  void (*abort)(NcclHandle handle) = nullptr;
  // ncclCommRegister and ncclCommDeregister: memory that collectives move again and again. A null
  // registration, when this NCCL or this memory has none, is no failure.
  void* (*map)(NcclHandle handle, void* memory, std::size_t size_bytes) = nullptr;
  void (*unmap)(NcclHandle handle, void* mapped) = nullptr;
  // ncclGetLastError: the words of the latest failure.
  const char* (*last_error)(NcclHandle handle) = nullptr;
};

}  // namespace lockstep::comm
