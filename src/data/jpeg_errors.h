// libjpeg's way out of an error: it jumps back here and becomes an Error. Warnings take the same
// way, because a picture with a warning is a damaged one.
#pragma once

#include "libjpeg.h"

#include <array>
#include <csetjmp>

namespace lockstep::data {

// Requires: at the same address from set-up to the last call of the library.
class JpegErrors {
 public:
  JpegErrors();
  JpegErrors(const JpegErrors&) = delete;
  JpegErrors& operator=(const JpegErrors&) = delete;

  jpeg_error_mgr* manager() { return &fields_.manager; }

  // For the progress callback. Requires: called from inside the library.
  [[noreturn]] static void fail_too_many_scans(j_common_ptr state, int limit);

  // Runs `step()`. Requires: nothing in `step` has a destructor that must run, because an error of
  // the library skips it. Throws: Error(kBadData) with the library's words.
  template <class Step>
  void run(Step&& step) {
    run_erased([](void* context) { (*static_cast<Step*>(context))(); },
               const_cast<void*>(static_cast<const void*>(&step)));
  }

 private:
  struct Fields {
    jpeg_error_mgr manager;  // first: the library knows this address
    std::jmp_buf jump;
    std::array<char, JMSG_LENGTH_MAX> message;
  };

  [[noreturn]] static void leave(j_common_ptr state);
  static void take_message(j_common_ptr state, int level);
  void run_erased(void (*step)(void*), void* context);

  Fields fields_{};
};

}  // namespace lockstep::data
