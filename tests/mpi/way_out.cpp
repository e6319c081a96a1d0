// Ends in the ways that a job may end: used by way_out.sh.
//   late     rank 1 never comes to an all-reduce: the others give up after the time-out
//   abort    the last rank leaves with code 76 while the others wait
//   orderly  everything is closed with work still to be collected
//   throw    rank 1 unwinds through its world without agreement
#include <lockstep/comm/world.h>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace lockstep;
using namespace lockstep::comm;

int late(World& world, Group& data) {
  if (world.rank() == 1) std::this_thread::sleep_for(std::chrono::seconds(20));
  std::vector<float> values(50000);
  data.all_reduce_async(values.data(), values.size(), DType::kF32, ReduceOp::kSum, {})->wait({});
  return 0;
}

int late_in_memory(World& world, Group& data) {
  const auto memory = world.allocate(200'000);
  if (world.rank() == 1) std::this_thread::sleep_for(std::chrono::seconds(20));
  data.all_reduce_async(memory->data(), 50000, DType::kF32, ReduceOp::kSum, {})->wait({});
  return 0;
}

int abort(World& world, Group& data) {
  if (world.rank() == world.size() - 1) world.abort(ExitCode::kDiverged);
  float value = 0;
  data.all_reduce_async(&value, 1, DType::kF32, ReduceOp::kSum, {})->wait({});
  return 0;
}

int orderly(World& /*world*/, Group& data) {
  std::vector<std::vector<float>> buffers(20, std::vector<float>(100000, 1));
  std::vector<std::unique_ptr<Work>> works;
  for (auto& values : buffers) {
    works.push_back(
        data.all_reduce_async(values.data(), values.size(), DType::kF32, ReduceOp::kSum, {}));
  }
  for (auto& work : works) work->wait({});
  return 0;
}

int run(const std::string& way) {
  const auto world = open_world();
  Options options;
  options.timeout_s = 2;
  Mesh mesh = world->open_mesh(options, Device{&gpu::host_backend(), 0}, false);
  if (way == "late") return late(*world, mesh.data());
  if (way == "late_in_memory") return late_in_memory(*world, mesh.data());
  if (way == "abort") return abort(*world, mesh.data());
  if (way == "orderly") return orderly(*world, mesh.data());
  if (way == "throw") {
    if (world->rank() == 1) throw data_error("rank 1 fails alone");
    barrier(world->control());
    return 0;
  }
  return static_cast<int>(ExitCode::kUsage);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "");
  } catch (const Error& error) {
    std::cerr << "way_out: " << error.what() << std::endl;
    return static_cast<int>(error.code());
  }
}
