// Errors and warnings of libjpeg become exceptions.
#include "jpeg_errors.h"

#include "data_fixture.h"

namespace lockstep::data {
namespace {

TEST(JpegErrors, AnErrorOfTheLibraryIsAnException) {
  JpegErrors errors;
  jpeg_decompress_struct state{};
  state.err = errors.manager();
  expect_error(ExitCode::kBadData, {"JPEG: "}, [&] {
    errors.run([&] {
      jpeg_create_decompress(&state);
      jpeg_read_scanlines(&state, nullptr, 1);
    });
  });
  jpeg_destroy_decompress(&state);
}

TEST(JpegErrors, WhatWorksGoesOn) {
  JpegErrors errors;
  int calls = 0;
  errors.run([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(JpegErrors, TracesAreSilentAndWarningsAreNot) {
  JpegErrors errors;
  jpeg_decompress_struct state{};
  state.err = errors.manager();
  jpeg_create_decompress(&state);
  const auto emit = [&](int level) {
    errors.run([&] { (*state.err->emit_message)(reinterpret_cast<j_common_ptr>(&state), level); });
  };
  EXPECT_NO_THROW(emit(1));
  EXPECT_THROW(emit(-1), Error);
  jpeg_destroy_decompress(&state);
}

TEST(JpegErrors, TooManyScansSaysTheLimit) {
  JpegErrors errors;
  jpeg_decompress_struct state{};
  state.err = errors.manager();
  expect_error(ExitCode::kBadData, {"more than 7 scans"}, [&] {
    errors.run([&] { JpegErrors::fail_too_many_scans(reinterpret_cast<j_common_ptr>(&state), 7); });
  });
}

}  // namespace
}  // namespace lockstep::data
