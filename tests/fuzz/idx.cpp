// MNIST's idx files. The first two bytes say how many of the rest are the images' file.
#include "memory_file.h"
#include "refusal.h"

#include <lockstep/data/import.h>

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::span<const std::uint8_t> rest(data + 2, size - 2);
  const std::size_t images = std::min<std::size_t>(rest.size(), data[0] * 256U + data[1]);
  const lockstep::MemoryFile image_file(rest.first(images));
  const lockstep::MemoryFile label_file(rest.subspan(images));
  return lockstep::expect_taken_or_refused([&] {
    const auto source = lockstep::data::open_idx(image_file.path(), label_file.path(), {});
    while (source->next()) {
    }
  });
}
