#include "convert_row.h"

#include "convert_row_ways.h"

#include <array>

namespace lockstep::augment {
namespace {

// Also the definition: the other ways give the same to the last bit.
template <int kChannels>
void convert_plain(const RowConversion& row, bool mirrored) {
  for (std::int64_t i = 0; i < row.count; ++i) {
    const std::int64_t place = mirrored ? row.count - 1 - i : i;
    for (int c = 0; c < kChannels; ++c) {
      const std::uint8_t byte = row.from[i * kChannels + c];
      row.out[c][place] = static_cast<float>(byte) * row.scale[c] + row.shift[c];
    }
  }
}

ConvertWay choose() {
  int count = 0;
  const ConvertWay* const ways = convert_ways(count);
  ConvertWay best = ways[0];
  for (int i = 1; i < count; ++i) {
    if (ways[i].available) best = ways[i];
  }
  return best;
}

}  // namespace

const ConvertWay* convert_ways(int& count) {
  static const std::array<ConvertWay, 3> ways{
      {{"plain", true, convert_plain<1>, convert_plain<3>},
       {"avx2", has_convert_avx2(), convert_one_avx2, convert_three_avx2},
       {"avx512", has_convert_avx512(), convert_one_avx512, convert_three_avx512}}};
  count = static_cast<int>(ways.size());
  return ways.data();
}

void convert_row(const RowConversion& row, std::int64_t channels, bool mirrored) {
  static const ConvertWay way = choose();
  switch (channels) {
    case 1:
      return way.one(row, mirrored);
    case 2:
      return convert_plain<2>(row, mirrored);
    case 3:
      return way.three(row, mirrored);
    default:
      return convert_plain<4>(row, mirrored);
  }
}

}  // namespace lockstep::augment
