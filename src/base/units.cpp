#include <lockstep/base/format.h>
#include <lockstep/base/units.h>

#include <array>
#include <cmath>
#include <ctime>

namespace lockstep {

namespace {

constexpr double kLongest_s = 1e12;  // beyond it a duration is no estimate any more

}  // namespace

std::string bytes_text(double bytes) {
  static constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  // The limits are where rounding would print the next unit's 1 as 1024, or 1000.
  while (std::abs(bytes) >= (unit == 0 ? 1023.5 : 1023.95) && unit + 1 < kUnits.size()) {
    bytes /= 1024.0;
    ++unit;
  }
  return unit == 0 ? format("{:.0f} B", bytes) : format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string count_text(double count) {
  if (std::abs(count) >= 999.95e6) return format("{:.2f} G", count / 1e9);
  if (std::abs(count) >= 999.95e3) return format("{:.2f} M", count / 1e6);
  if (std::abs(count) >= 9999.5) return format("{:.1f} k", count / 1e3);
  return format("{:.0f}", count);
}

std::string duration_text(double seconds) {
  if (!(std::abs(seconds) < kLongest_s)) return "?";
  if (seconds < 0) return "-" + duration_text(-seconds);
  if (seconds == 0) return "0 s";
  if (seconds < 0.9995e-3) return format("{:.0f} us", seconds * 1e6);
  if (seconds < 0.9995) return format("{:.0f} ms", seconds * 1e3);
  if (seconds < 9.95) return format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return format("{} s", whole);
  if (whole < 3600) return format("{} min {:02d} s", whole / 60, whole % 60);
  return format("{} h {:02d} min", whole / 3600, whole % 3600 / 60);
}

std::string utc_text(std::int64_t unix_s) {
  const auto time = static_cast<std::time_t>(unix_s);
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

}  // namespace lockstep
