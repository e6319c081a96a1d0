// The world of an MPI job: start-up and shut-down of MPI, who is where, and the control plane.
#include "data_plane.h"
#include "host_memory.h"
#include "mpi_engine.h"
#include "mpi_group.h"
#include "mpi_shared_window.h"
#include "solo_group.h"
#include "window_group.h"

#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/comm/world.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>
#include <utility>

namespace lockstep::comm {
namespace {

// Seconds that the communication thread gets to reach MPI_Abort.
constexpr double kAbortLimit_s = 5.0;

// "Open MPI v4.1.4, package: …" and "MPICH Version:\t4.0.2\n…" become "Open MPI 4.1.4",
// "MPICH 4.0.2".
std::string library_text() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> raw{};
  int length = 0;
  MPI_Get_library_version(raw.data(), &length);
  std::string text(raw.data(), static_cast<std::size_t>(length));
  text = text.substr(0, text.find_first_of(",\n"));
  for (const auto& [from, to] :
       {std::pair(" v", " "), std::pair(" Version:", ""), std::pair("\t", " ")}) {
    const std::size_t place = text.find(from);
    if (place != std::string::npos) text.replace(place, std::string_view(from).size(), to);
  }
  return text;
}

class DuplicateOperation final : public RequestOperation {
 public:
  DuplicateOperation(MPI_Comm from, const GroupPlace& place)
      : RequestOperation("opening", 0, place), from_(from) {}
  void start() override { check_mpi(MPI_Comm_idup(from_, &result_, next()), "MPI_Comm_idup"); }
  bool advance() override {
    if (!RequestOperation::advance()) return false;
    check_mpi(MPI_Comm_set_errhandler(result_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    return true;
  }
  MPI_Comm result() const { return result_; }

 private:
  MPI_Comm from_;
  MPI_Comm result_ = MPI_COMM_NULL;
};

// The communicator of the ranks with the same place on their hosts, in rank order. Blocks the
// communication thread: for start-up.
class AcrossOperation final : public MpiOperation {
 public:
  AcrossOperation(MPI_Comm from, int local_rank, const GroupPlace& place)
      : MpiOperation("opening", 0, place),
        from_(from),
        local_rank_(local_rank),
        rank_(place.rank) {}
  void start() override {
    check_mpi(MPI_Comm_split(from_, local_rank_, rank_, &result_), "MPI_Comm_split");
    check_mpi(MPI_Comm_set_errhandler(result_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    MPI_Comm_rank(result_, &place_.rank);
    MPI_Comm_size(result_, &place_.size);
  }
  bool advance() override { return true; }
  MPI_Comm result() const { return result_; }
  const GroupPlace& place() const { return place_; }

 private:
  MPI_Comm from_;
  int local_rank_;
  int rank_;
  MPI_Comm result_ = MPI_COMM_NULL;
  GroupPlace place_{"data, across hosts", 0, 1};
};

class MpiWorld final : public World {
 public:
  MpiWorld();
  ~MpiWorld() override;
  MpiWorld(const MpiWorld&) = delete;
  MpiWorld& operator=(const MpiWorld&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int local_rank() const override { return local_rank_; }
  int local_size() const override { return local_size_; }
  std::string description() const override { return library_text_; }
  Group& control() override { return *control_; }
  Mesh open_mesh(const Options& options, const Device& device, bool allow_gpu_sharing) override;
  std::unique_ptr<Memory> allocate(std::size_t size_bytes) override;
  std::unique_ptr<Memory> allocate_shared(std::size_t size_bytes) override;
  [[noreturn]] void abort(ExitCode code) override;

 private:
  void init_mpi();
  std::unique_ptr<Group> open_host_group(const Options& options);
  std::unique_ptr<Group> open_message_group();
  std::unique_ptr<Group> open_across();
  std::shared_ptr<SharedWindow> open_window(WindowKind kind, std::size_t size_bytes);
  std::shared_ptr<SharedWindow> try_window(WindowKind kind, std::size_t size_bytes);

  bool owns_mpi_ = true;
  int rank_ = 0;
  int size_ = 1;
  int local_rank_ = 0;
  int local_size_ = 1;
  std::string library_text_;
  MPI_Comm control_comm_ = MPI_COMM_NULL;
  std::vector<MPI_Comm> data_comms_;
  std::vector<std::shared_ptr<SharedWindow>> windows_;
  std::unique_ptr<PieceRegistry> pieces_;  // of windows_ that are a piece a rank
  bool shares_memory_ = false;             // every host has as many ranks, more than one
  bool spin_ = true;                       // every rank of this host has a core of its own
  std::shared_ptr<MpiEngine> engine_;
  std::unique_ptr<Group> control_;
};

void MpiWorld::init_mpi() {
  int initialised = 0;
  MPI_Initialized(&initialised);
  int provided = MPI_THREAD_SINGLE;
  if (initialised != 0) {
    owns_mpi_ = false;
    MPI_Query_thread(&provided);
  } else if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS) {
    throw unavailable_error("MPI does not start: see the words of MPI above");
  }
  if (provided < MPI_THREAD_SERIALIZED) {
    throw unavailable_error(
        "this MPI does not let a second thread call it "
        "(MPI_THREAD_SERIALIZED): use an MPI built with thread support");
  }
}

MpiWorld::MpiWorld() {
  init_mpi();
  library_text_ = library_text();
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &control_comm_), "MPI_Comm_dup");
  check_mpi(MPI_Comm_set_errhandler(control_comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  MPI_Comm_rank(control_comm_, &rank_);
  MPI_Comm_size(control_comm_, &size_);
  MPI_Comm node = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(control_comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node),
            "MPI_Comm_split_type");
  MPI_Comm_rank(node, &local_rank_);
  MPI_Comm_size(node, &local_size_);
  MPI_Comm_free(&node);
  std::array<int, 2> most{local_size_, -local_size_};
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, most.data(), 2, MPI_INT, MPI_MAX, control_comm_),
            "MPI_Allreduce");
  shares_memory_ = most[0] == -most[1] && local_size_ > 1;
  spin_ = static_cast<unsigned>(local_size_) <= std::thread::hardware_concurrency();
  pieces_ = std::make_unique<PieceRegistry>(local_rank_);
  engine_ = std::make_shared<MpiEngine>(spin_);
  control_ =
      std::make_unique<MpiGroup>(engine_, control_comm_, GroupPlace{"control", rank_, size_});
}

MpiWorld::~MpiWorld() {
  control_.reset();
  // A peer may never come to MPI_Finalize after a failure: leave that to the process' end.
  const bool orderly = !engine_->broken() && std::uncaught_exceptions() == 0;
  if (!orderly) engine_->set_timeout(0);
  engine_.reset();
  if (!orderly || !owns_mpi_) return;
  for (const auto& window : windows_) window->free();
  for (MPI_Comm& comm : data_comms_) MPI_Comm_free(&comm);
  MPI_Comm_free(&control_comm_);
  MPI_Finalize();
}

std::unique_ptr<Group> MpiWorld::open_message_group() {
  const GroupPlace place{"data", rank_, size_};
  auto duplicate = std::make_shared<DuplicateOperation>(control_comm_, place);
  engine_->post(duplicate);
  engine_->wait(*duplicate);
  data_comms_.push_back(duplicate->result());
  return std::make_unique<MpiGroup>(engine_, duplicate->result(), place);
}

std::unique_ptr<Group> MpiWorld::open_across() {
  if (local_size_ == size_) return nullptr;
  auto across = std::make_shared<AcrossOperation>(
      control_comm_, local_rank_, GroupPlace{"control", rank_, size_});
  engine_->post(across);
  engine_->wait(*across);
  data_comms_.push_back(across->result());
  return std::make_unique<MpiGroup>(engine_, across->result(), across->place());
}

std::unique_ptr<Group> MpiWorld::open_host_group(const Options& options) {
  if (size_ == 1) return std::make_unique<SoloGroup>(gpu::host_backend());
  std::unique_ptr<Group> messages = open_message_group();
  if (options.backend == "mpi" || !shares_memory_) return messages;
  const std::size_t board_bytes = sizeof(WindowRow) * static_cast<std::size_t>(local_size_);
  const auto board = try_window(WindowKind::kOneAHost, board_bytes);
  if (!board) return messages;
  WindowOptions window;
  window.place = {"data", rank_, size_};
  window.local_rank = local_rank_;
  window.spin = spin_;
  window.timeout_s = options.timeout_s;
  window.on_failure = [engine = engine_](const Error& error) { engine->give_up(error); };
  const std::span rows(reinterpret_cast<WindowRow*>(board->pieces().base[0]),
                       static_cast<std::size_t>(local_size_));
  auto exchange = std::make_shared<WindowExchange>(rows, *pieces_, open_across(), window);
  return std::make_unique<WindowGroup>(
      std::move(messages), std::move(exchange), *pieces_, local_size_ == size_);
}

Mesh MpiWorld::open_mesh(const Options& options, const Device& device, bool allow_gpu_sharing) {
  engine_->set_timeout(options.timeout_s);
  return Mesh(open_data_group(*this, options, device, allow_gpu_sharing, [this, &options] {
    return open_host_group(options);
  }));
}

// Throws: AgreedError(kOutOfMemory) when a host has no room.
std::shared_ptr<SharedWindow> MpiWorld::open_window(WindowKind kind, std::size_t size_bytes) {
  const int num_pieces = kind == WindowKind::kOneARank ? local_size_ : 1;
  agree(*this, [&] {
    const std::string missing =
        missing_shared_room(size_bytes * static_cast<std::size_t>(num_pieces));
    if (!missing.empty()) throw Error(ExitCode::kOutOfMemory, missing);
  });
  auto window = std::make_shared<SharedWindow>(
      control_comm_, kind, size_bytes, GroupPlace{"control", rank_, size_});
  engine_->post(window);
  engine_->wait(*window);
  windows_.push_back(window);
  return window;
}

// Null on all ranks, with a warning, when a host has no room.
std::shared_ptr<SharedWindow> MpiWorld::try_window(WindowKind kind, std::size_t size_bytes) {
  try {
    return open_window(kind, size_bytes);
  } catch (const AgreedError& error) {
    if (rank_ == 0) {
      log::warning(
          "gradients go through MPI, which is slower: {} on the host of rank {}; make "
          "/dev/shm larger (a container: --shm-size)",
          error.what(),
          error.rank());
    }
    return nullptr;
  }
}

std::unique_ptr<Memory> MpiWorld::allocate(std::size_t size_bytes) {
  if (!shares_memory_) return make_host_memory(size_bytes);
  const auto window = try_window(WindowKind::kOneARank, size_bytes);
  if (!window) return make_host_memory(size_bytes);
  pieces_->add(window->pieces());
  return window->memory();
}

std::unique_ptr<Memory> MpiWorld::allocate_shared(std::size_t size_bytes) {
  return open_window(WindowKind::kOneAHost, size_bytes)->memory();
}

void MpiWorld::abort(ExitCode code) {
  std::fflush(nullptr);
  engine_->abort(code, kAbortLimit_s);
  std::_Exit(static_cast<int>(code));
}

}  // namespace
}  // namespace lockstep::comm

// Thread: the one that will destroy the world; MPI_Init and MPI_Finalize belong to it.
extern "C" lockstep::comm::World* lockstep_open_mpi_world() {
  return new lockstep::comm::MpiWorld();
}
