// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace lockstep {

std::string bytes_text(double bytes);  // "3.2 MiB"
std::string count_text(double count);  // "60.0 k", "1.28 M"
std::string duration_text(
    double seconds);  // "850 ms", "42 s", "3 min 20 s", "2 h 05 min"; "?" when not finite
// Seconds since 1970 as "2026-01-31T12:00:00Z".
std::string utc_text(std::int64_t unix_s);

}  // namespace lockstep
