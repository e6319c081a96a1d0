// Counts what this test program allocates.
#pragma once

#include <cstddef>

std::size_t num_allocations();
