// CIFAR's binary files. The first byte picks the number of classes.
#include "memory_file.h"
#include "refusal.h"

#include <lockstep/data/import_images.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const lockstep::MemoryFile file(std::span(data + 1, size - 1));
  return lockstep::expect_taken_or_refused([&] {
    lockstep::data::CifarOptions options;
    options.num_classes = data[0] % 2 == 0 ? 10 : 100;
    const auto source = lockstep::data::open_cifar({file.path()}, options);
    while (source->next()) {
    }
  });
}
