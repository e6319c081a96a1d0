// What an import leaves out, counted by reason, with the first names of each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::data {

class LeftOut {
 public:
  // `what` in the plural: "boxes of no area".
  void add(const std::string& what, const std::string& name, std::int64_t count = 1);
  // A broken picture: reasons that differ in numbers alone are one.
  void add_broken(const std::string& name, const std::string& reason);

  // "2 boxes of no area: a.xml, b.xml", the first reason first.
  std::vector<std::string> lines() const;

 private:
  struct Reason {
    std::string what;
    std::int64_t count = 0;
    std::int64_t num_names = 0;
    std::vector<std::string> first_names;
  };
  std::vector<Reason> reasons_;
};

}  // namespace lockstep::data
