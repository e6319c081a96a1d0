// Where a collective takes place, for its error texts.
#pragma once

#include <cstddef>
#include <string>

namespace lockstep::comm {

struct GroupPlace {
  std::string name;  // "control", "data"
  int rank = 0;
  int size = 1;
};

// "all-reduce of 4.0 MiB in the data group on rank 1 of 2 (host)".
std::string operation_text(const char* verb, std::size_t size_bytes, const GroupPlace& place);
// What is said when `operation` took longer than comm.timeout_s.
std::string late_text(const std::string& operation, double timeout_s);

}  // namespace lockstep::comm
