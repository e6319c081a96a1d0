// Applies our operations on bytes to an image, for augment_oracle.py.
// augment_oracle IMAGE H W C OUT randaugment MAGNITUDE COUNT: one planned operation, samples 0 to
//   COUNT-1, one result after the other.
// augment_oracle IMAGE H W C OUT op KIND VALUE: one operation by its number.
#include "image_ops.h"
#include "plan_ops.h"

#include <lockstep/base/file.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

using namespace lockstep;
using namespace lockstep::augment;

namespace {

std::string apply(const PixelOp& op, const ImageShape& shape, std::string pixels) {
  std::string scratch(pixels.size(), '\0');
  auto* const bytes = reinterpret_cast<std::uint8_t*>(pixels.data());
  const std::uint8_t* const result =
      apply_ops(&op, 1, shape, bytes, reinterpret_cast<std::uint8_t*>(scratch.data()));
  return result == bytes ? pixels : scratch;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) return 64;
  const std::string pixels = read_text(argv[1]);
  const ImageShape shape{std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4])};
  std::ofstream out(argv[5], std::ios::binary);
  if (std::string(argv[6]) == "op") {
    PixelOp op;
    op.kind = static_cast<PixelOpKind>(std::atoi(argv[7]));
    op.value = static_cast<float>(std::atof(argv[8]));
    out << apply(op, shape, pixels);
    return 0;
  }
  data::AugmentOptions options;
  options.randaugment_ops = 1;
  options.randaugment_magnitude = std::atof(argv[7]);
  for (std::int64_t id = 0; id < std::atoi(argv[8]); ++id) {
    std::vector<PixelOp> ops(1);
    plan_ops(options, 1, 0, id, {shape.height, shape.width}, ops);
    out << apply(ops[0], shape, pixels);
  }
  return 0;
}
