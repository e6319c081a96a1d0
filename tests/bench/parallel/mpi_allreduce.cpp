// A peer of `lockstep bench allreduce`: MPI_Allreduce of fp32 values in place. Prints the seconds a
// call of the slowest rank, one block a line. Usage: mpi_allreduce BYTES CALLS BLOCKS
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

double time_block(std::vector<float>& values, int calls) {
  MPI_Barrier(MPI_COMM_WORLD);
  const double begin_s = MPI_Wtime();
  for (int i = 0; i < calls; ++i) {
    MPI_Allreduce(MPI_IN_PLACE,
                  values.data(),
                  static_cast<int>(values.size()),
                  MPI_FLOAT,
                  MPI_SUM,
                  MPI_COMM_WORLD);
  }
  double seconds = (MPI_Wtime() - begin_s) / calls;
  MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  if (argc != 4) MPI_Abort(MPI_COMM_WORLD, 64);
  std::vector<float> values(static_cast<std::size_t>(std::atol(argv[1])) / sizeof(float), 0.0F);
  const int calls = std::atoi(argv[2]);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  time_block(values, calls / 4 + 1);  // warm-up
  for (int block = 0; block < std::atoi(argv[3]); ++block) {
    const double seconds = time_block(values, calls);
    if (rank == 0) std::printf("%.9g\n", seconds);
  }
  MPI_Finalize();
  return 0;
}
