// What the HDF5 library does by itself, as a peer of the loader. Prints one JSON object.
//   hdf5_peer threads FILE DATASET BATCH BLOCKS EPOCHS_A_BLOCK THREADS
//     threads read shuffled samples by H5Dread, batches in turn: images/s of each block
//   hdf5_peer chunk_info FILE DATASET
//     the place of every chunk by a loop over H5Dget_chunk_info, then the first chunk: seconds
#include <lockstep/base/clock.h>

#include <hdf5.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Images {
  hid_t dataset = -1;
  std::vector<hsize_t> shape;
  std::size_t sample_bytes = 1;

  bool open(const char* path, const char* name) {
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    dataset = file < 0 ? -1 : H5Dopen2(file, name, H5P_DEFAULT);
    if (dataset < 0) return false;
    const hid_t space = H5Dget_space(dataset);
    shape.resize(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
    H5Sget_simple_extent_dims(space, shape.data(), nullptr);
    H5Sclose(space);
    for (std::size_t i = 1; i < shape.size(); ++i) sample_bytes *= shape[i];
    return true;
  }
};

// One thread's own data space and buffer.
class Reader {
 public:
  Reader(const Images& images, std::size_t batch)
      : images_(images),
        space_(H5Dget_space(images.dataset)),
        start_(images.shape.size(), 0),
        count_(images.shape),
        buffer_(batch * images.sample_bytes) {
    count_[0] = 1;
    const hsize_t size = images.sample_bytes;
    memory_ = H5Screate_simple(1, &size, nullptr);
  }
  ~Reader() {
    H5Sclose(space_);
    H5Sclose(memory_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool read(std::span<const std::int64_t> indices) {
    unsigned char* to = buffer_.data();
    for (const std::int64_t index : indices) {
      start_[0] = static_cast<hsize_t>(index);
      if (H5Sselect_hyperslab(
              space_, H5S_SELECT_SET, start_.data(), nullptr, count_.data(), nullptr) < 0 ||
          H5Dread(images_.dataset, H5T_NATIVE_UINT8, memory_, space_, H5P_DEFAULT, to) < 0) {
        return false;
      }
      to += images_.sample_bytes;
    }
    return true;
  }

 private:
  const Images& images_;
  hid_t space_;
  hid_t memory_ = -1;
  std::vector<hsize_t> start_;
  std::vector<hsize_t> count_;
  std::vector<unsigned char> buffer_;
};

std::vector<std::int64_t> shuffled(std::size_t count, std::size_t batch, std::mt19937_64& random) {
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  for (std::size_t begin = 0; begin < count; begin += batch) {
    std::sort(order.begin() + static_cast<std::ptrdiff_t>(begin),
              order.begin() + static_cast<std::ptrdiff_t>(std::min(count, begin + batch)));
  }
  return order;
}

bool read_epoch(std::vector<std::unique_ptr<Reader>>& readers,
                const std::vector<std::int64_t>& order,
                std::size_t batch) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> good{true};
  std::vector<std::thread> threads;
  for (const auto& reader : readers) {
    threads.emplace_back([&] {
      for (std::size_t begin = next++ * batch; begin < order.size() && good;
           begin = next++ * batch) {
        const std::size_t size = std::min(batch, order.size() - begin);
        if (!reader->read(std::span(order).subspan(begin, size))) good = false;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return good;
}

bool run_threads(const Images& images, char** words) {
  const auto batch = static_cast<std::size_t>(std::atoll(words[0]));
  const int blocks = std::atoi(words[1]);
  const int epochs = std::atoi(words[2]);
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < std::atoi(words[3]); ++i) {
    readers.push_back(std::make_unique<Reader>(images, batch));
  }
  std::mt19937_64 random(1);
  std::string rates;
  const std::size_t count = images.shape[0];
  if (!read_epoch(readers, shuffled(count, batch, random), batch)) return false;
  for (int block = 0; block < blocks; ++block) {
    double seconds = 0;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const auto order = shuffled(count, batch, random);
      const lockstep::Stopwatch watch;
      if (!read_epoch(readers, order, batch)) return false;
      seconds += watch.elapsed_s();
    }
    const double rate = static_cast<double>(count) * epochs / seconds;
    rates += (block == 0 ? "" : ", ") + std::to_string(rate);
  }
  std::printf("{\"blocks\": [%s]}\n", rates.c_str());
  return true;
}

bool run_chunk_info(const char* path, const char* name) {
  const lockstep::Stopwatch watch;
  Images images;
  if (!images.open(path, name)) return false;
  hsize_t count = 0;
  const hid_t space = H5Dget_space(images.dataset);  // HDF5 1.10 does not take H5S_ALL here
  if (H5Dget_num_chunks(images.dataset, space, &count) < 0) return false;
  std::vector<haddr_t> places;
  std::vector<hsize_t> offset(images.shape.size());
  for (hsize_t i = 0; i < count; ++i) {
    unsigned mask = 0;
    haddr_t address = 0;
    hsize_t size = 0;
    if (H5Dget_chunk_info(images.dataset, space, i, offset.data(), &mask, &address, &size) < 0) {
      return false;
    }
    places.push_back(address);
  }
  Reader reader(images, 1);
  const std::int64_t first = 0;
  if (!reader.read(std::span(&first, 1))) return false;
  std::printf("{\"seconds\": %.6f, \"chunks\": %llu}\n",
              watch.elapsed_s(),
              static_cast<unsigned long long>(places.size()));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  bool good = false;
  if (what == "threads" && argc == 8) {
    Images images;
    good = images.open(argv[2], argv[3]) && run_threads(images, argv + 4);
  } else if (what == "chunk_info" && argc == 4) {
    good = run_chunk_info(argv[2], argv[3]);
  } else {
    std::fputs("hdf5_peer: see the head of hdf5_peer.cpp\n", stderr);
    return 64;
  }
  if (!good) std::fprintf(stderr, "hdf5_peer: %s cannot be read\n", argv[2]);
  return good ? 0 : 74;
}
