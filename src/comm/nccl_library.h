// NCCL itself behind NcclApi, and its names for types and reductions. For the CUDA module only.
#pragma once

#include "nccl_api.h"

#include <lockstep/comm/types.h>

#include <nccl.h>

namespace lockstep::comm {

const NcclApi& nccl_library();
NcclStatus to_status(ncclResult_t result);
ncclDataType_t nccl_type(DType type);
ncclRedOp_t nccl_op(ReduceOp op);

}  // namespace lockstep::comm
