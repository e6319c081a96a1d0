// COCO's annotation files.
#include "coco_reader.h"
#include "refusal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  return lockstep::expect_taken_or_refused(
      [text] { lockstep::data::read_coco(text, "annotations.json"); });
}
