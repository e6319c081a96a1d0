#include "jpeg_errors.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

namespace lockstep::data {
namespace {

// Numbers from here on are messages of ours in the library's table.
constexpr int kFirstOwnMessage = 1000;
constexpr std::array<const char*, 1> kOwnMessages{"more than %d scans"};

}  // namespace

JpegErrors::JpegErrors() {
  jpeg_std_error(&fields_.manager);
  fields_.manager.addon_message_table = kOwnMessages.data();
  fields_.manager.first_addon_message = kFirstOwnMessage;
  fields_.manager.last_addon_message = kFirstOwnMessage;
  fields_.manager.error_exit = &JpegErrors::leave;
  fields_.manager.emit_message = &JpegErrors::take_message;
}

void JpegErrors::leave(j_common_ptr state) {
  auto* fields = reinterpret_cast<Fields*>(state->err);
  (*state->err->format_message)(state, fields->message.data());
  std::longjmp(fields->jump, 1);
}

void JpegErrors::fail_too_many_scans(j_common_ptr state, int limit) {
  state->err->msg_code = kFirstOwnMessage;
  state->err->msg_parm.i[0] = limit;
  leave(state);
}

// Levels below zero are warnings of damaged data, those above are traces.
void JpegErrors::take_message(j_common_ptr state, int level) {
  if (level < 0) leave(state);
}

// Not inlined, so that no variable of a caller lives in a register across the jump.
[[gnu::noinline]] void JpegErrors::run_erased(void (*step)(void*), void* context) {
  if (setjmp(fields_.jump) != 0) {
    const bool no_memory = fields_.manager.msg_code == JERR_OUT_OF_MEMORY;
    throw Error(no_memory ? ExitCode::kOutOfMemory : ExitCode::kBadData,
                format("JPEG: {}", fields_.message.data()));
  }
  step(context);
}

}  // namespace lockstep::data
