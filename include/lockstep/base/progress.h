// Progress of long work: a bar with rate and time left on a terminal, plain lines otherwise.
// Thread: one thread at a time.
#pragma once

#include <cstdint>
#include <string>

namespace lockstep {

class Progress {
 public:
  // `total` in units of `unit` ("images"); 0 when it is not known.
  Progress(std::string label, std::int64_t total, std::string unit);
  // Ends the bar's line; the last state stays visible.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Draws at most ten times a second on a terminal, a line every ten seconds in a log.
  void advance(std::int64_t amount = 1);
  void finish();

 private:
  void draw(bool last);

  std::string label_;
  std::int64_t total_;
  std::string unit_;
  std::int64_t done_ = 0;
  double start_s_;
  double last_draw_s_;
  bool terminal_;
  bool finished_ = false;
};

}  // namespace lockstep
