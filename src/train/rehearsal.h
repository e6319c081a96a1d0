// What is found out on blank images before the first step: the order of gradients in backward, and
// how large buckets should be.
#pragma once

#include "session.h"

#include <cstdint>
#include <vector>

namespace lockstep::train {

// comm.bucket_mib and comm.first_bucket_mib in bytes.
std::int64_t bucket_bytes(double mib);

// Order of gradients, from one pass over two images. Collective. Throws: AgreedError.
std::vector<std::int64_t> rehearse_order(Job& job,
                                         Session& session,
                                         const std::vector<optim::NamedParameter>& parameters);

// With comm.bucket_mib = auto and more than one rank: cuts session.buckets anew by measured steps.
// Arena and reducer are there, parameters equal on all ranks; leaves gradients of zero.
// Collective. Throws: AgreedError.
void rehearse_buckets(Job& job, Session& session);

}  // namespace lockstep::train
