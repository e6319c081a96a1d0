// One file in the making: layouts, messages, space that is given back.
#include "file_writer.h"

#include "file_dataset.h"
#include "ragged_fixture.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace lockstep::data {
namespace {

TEST(FileWriter, DifferingSizesAndJpegFilesAreReadBack) {
  const TemporaryFolder folder;
  for (const char* encoding : {"raw", "jpeg"}) {
    for (const bool detection : {false, true}) {
      for (const std::int64_t channels : {1, 3}) {
        const RaggedOptions options{
            .num_samples = 12, .encoding = encoding, .detection = detection, .channels = channels};
        std::filesystem::remove(folder / "a.h5");
        write_ragged(folder / "a.h5", options);
        expect_ragged(*open_dataset(folder / "a.h5", Options{}), options);
      }
    }
  }
}

TEST(FileWriter, TablesAreThoseOfTheFormat) {
  const TemporaryFolder folder;
  write_ragged(folder / "a.h5", {.num_samples = 5, .encoding = "jpeg", .detection = true});
  const auto dataset = open_file_dataset(folder / "a.h5", Options{});
  std::string shapes;
  for (const ArrayInfo& array : dataset->tables().arrays) {
    EXPECT_TRUE(array.contiguous());
    shapes += array.key + " " + array.type + " " + array.shape_text() + "\n";
  }
  const std::string bytes = std::to_string(dataset->tables().image_offsets.back());
  EXPECT_EQ(shapes,
            "image_bytes u8 (" + bytes + ")\n" +
                "image_offset u64 (6)\n"
                "image_size i32 (5, 2)\n"
                "box f32 (4, 4)\n"
                "box_class i64 (4)\n"
                "box_area f32 (4)\n"
                "box_crowd u8 (4)\n"
                "box_offset u64 (6)\n"
                "sample_id i64 (5)\n"
                "sample_crc32c u32 (5)\n");
}

TEST(FileWriter, FilesWithoutAnyBoxAreDataSetsToo) {
  const TemporaryFolder folder;
  // Only sample 0, which has no box.
  write_ragged(folder / "a.h5", {.num_samples = 1, .detection = true});
  const auto dataset = open_dataset(folder / "a.h5", Options{});
  EXPECT_TRUE(dataset->boxes(0).classes.empty());
  EXPECT_TRUE(verify_dataset(folder / "a.h5", Options{}, {}).good());
}

TEST(FileWriter, StatisticsOfJpegFilesAreThoseOfThePixelsHandedIn) {
  const TemporaryFolder folder;
  const DatasetInfo measured = write_ragged(folder / "a.h5", {.encoding = "jpeg"});
  EXPECT_NEAR(measured.image_mean[2], 0.2, 1e-12);
  EXPECT_EQ(measured.image_std[2], 1.0);
  WriterOptions options = RaggedSource({.encoding = "jpeg"}).shape();
  options.path = folder / "b.h5";
  const std::vector<std::byte> bytes(20);
  Writer without(options);
  without.add({bytes, {3, 3}, 0, 0, {}, {}});
  EXPECT_EQ(without.finish().image_mean, (std::vector<double>{0.5, 0.5, 0.5}));
  options.path = folder / "c.h5";
  options.image_mean = {0.1, 0.2, 0.3};
  options.image_std = {0.4, 0.5, 0.6};
  Writer given(options);
  given.add({bytes, {3, 3}, 0, 0, {}, {}});
  given.finish();
  EXPECT_EQ(open_dataset(folder / "c.h5", Options{})->info().image_std, options.image_std);
}

TEST(FileWriter, ImpossibleSizesNameTheSample) {
  const TemporaryFolder folder;
  WriterOptions options = RaggedSource({.encoding = "jpeg"}).shape();
  options.path = folder / "a.h5";
  const std::vector<std::byte> bytes(20);
  for (const ImageSize size : {ImageSize{0, 3}, {3, -1}, {70000, 1}}) {
    expect_error(ExitCode::kBadData, {"sample 31", "not a size"}, [&] {
      FileWriter writer(options, 30);
      writer.add({bytes, {3, 3}, 0, 0, {}, {}});
      writer.add({bytes, size, 0, 0, {}, {}});
    });
  }
  expect_error(ExitCode::kBadData, {"sample 0", "0 bytes"}, [&] {
    FileWriter writer(options);
    writer.add({{}, {3, 3}, 0, 0, {}, {}});
  });
  EXPECT_TRUE(folder.names().empty());
}

TEST(FileWriter, FullDiskIsNoticedWhereNoSpaceCouldBeReserved) {
  const TemporaryFolder folder;
  const RaggedOptions options{.num_samples = 30000, .encoding = "jpeg"};
  write_ragged(folder / "whole.h5", options);
  const auto whole = std::filesystem::file_size(folder / "whole.h5");
  std::filesystem::remove(folder / "whole.h5");
  // While images are streamed, in a table, in the attributes at the end.
  for (const std::uintmax_t limit : {std::uintmax_t{1400000}, whole - 50000, whole - 1}) {
    const pid_t child = fork();
    if (child == 0) {
      signal(SIGXFSZ, SIG_IGN);
      const rlimit bound{limit, limit};
      setrlimit(RLIMIT_FSIZE, &bound);
      int code = 0;
      try {
        write_ragged(folder / "a.h5", options);
      } catch (const Error& error) {
        code = static_cast<int>(error.code());
      }
      _exit(code);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status)) << limit;
    EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ExitCode::kIo)) << limit;
    EXPECT_TRUE(folder.names().empty()) << limit;
  }
}

TEST(FileWriter, SpaceForSamplesThatDidNotComeIsGivenBack) {
  const TemporaryFolder folder;
  SyntheticOptions synthetic = small_options(4);
  const auto source = make_synthetic(synthetic);
  WriterOptions options = source->shape();
  options.path = folder / "a.h5";
  options.num_samples = 100000;  // 25 MB
  Writer writer(options);
  while (const auto sample = source->next()) writer.add(*sample);
  writer.finish();
  struct stat found {};
  ASSERT_EQ(stat((folder / "a.h5").c_str(), &found), 0);
  EXPECT_LT(found.st_size, 100000);
  EXPECT_LT(found.st_blocks * 512, 1000000);
}

}  // namespace
}  // namespace lockstep::data
