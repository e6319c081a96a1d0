#include "nccl_library.h"

namespace lockstep::comm {
namespace {

ncclComm_t native(NcclHandle handle) { return static_cast<ncclComm_t>(handle); }

NcclStatus init(NcclHandle* handle, const NcclPlace& place, const void* id) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  if (place.max_ctas > 0) config.maxCTAs = place.max_ctas;
  ncclComm_t comm = nullptr;
  const ncclResult_t result = ncclCommInitRankConfig(
      &comm, place.size, *static_cast<const ncclUniqueId*>(id), place.rank, &config);
  *handle = comm;
  return to_status(result);
}

NcclStatus poll(NcclHandle handle) {
  ncclResult_t state = ncclSuccess;
  const ncclResult_t result = ncclCommGetAsyncError(native(handle), &state);
  return to_status(result == ncclSuccess ? state : result);
}

NcclStatus finalize(NcclHandle handle) { return to_status(ncclCommFinalize(native(handle))); }
void destroy(NcclHandle handle) { ncclCommDestroy(native(handle)); }
void abort_comm(NcclHandle handle) { ncclCommAbort(native(handle)); }

// Local and immediate, also with blocking = 0.
void* map(NcclHandle handle, void* memory, std::size_t size_bytes) {
  void* mapped = nullptr;
  const ncclResult_t result = ncclCommRegister(native(handle), memory, size_bytes, &mapped);
  return result == ncclSuccess ? mapped : nullptr;
}

void unmap(NcclHandle handle, void* mapped) { ncclCommDeregister(native(handle), mapped); }

const char* last_error(NcclHandle handle) { return ncclGetLastError(native(handle)); }

}  // namespace

NcclStatus to_status(ncclResult_t result) {
  if (result == ncclSuccess) return NcclStatus::kDone;
  if (result == ncclInProgress) return NcclStatus::kInProgress;
  return NcclStatus::kFailed;
}

const NcclApi& nccl_library() {
  static const NcclApi api{
      &init, &poll, &finalize, &destroy, &abort_comm, &map, &unmap, &last_error};
  return api;
}

ncclDataType_t nccl_type(DType type) {
  switch (type) {
    case DType::kU8:
      return ncclUint8;
    case DType::kI32:
      return ncclInt32;
    case DType::kI64:
      return ncclInt64;
    case DType::kF16:
      return ncclFloat16;
    case DType::kBF16:
      return ncclBfloat16;
    case DType::kF32:
      return ncclFloat32;
    case DType::kF64:
      return ncclFloat64;
  }
  return ncclUint8;
}

ncclRedOp_t nccl_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return ncclSum;
    case ReduceOp::kMin:
      return ncclMin;
    case ReduceOp::kMax:
      return ncclMax;
  }
  return ncclSum;
}

}  // namespace lockstep::comm
