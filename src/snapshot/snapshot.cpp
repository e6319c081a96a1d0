#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>
#include <lockstep/snapshot/snapshot.h>
#include <lockstep/weights/module_tensors.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace lockstep::snapshot {
namespace {

constexpr int kManifestVersion = 1;

// Size and SHA-256 of a finished file, for the manifest.
nlohmann::json describe_file(const std::filesystem::path& path) {
  constexpr std::size_t kPiece = std::size_t{4} << 20;
  const FileHandle file = open_for_reading(path);
  const std::uint64_t size = file_size_bytes(file, path);
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(size, kPiece)));
  Sha256 hash;
  for (std::uint64_t at = 0; at < size; at += buffer.size()) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - at));
    const std::span<std::byte> piece(buffer.data(), count);
    read_exactly(file, path, at, piece);
    hash.update(piece);
  }
  return {{"name", path.filename().string()}, {"size_bytes", size}, {"sha256", hash.finish()}};
}

// The model with its averaged parameters, which are back in place afterwards.
void save_averaged(const std::filesystem::path& path, const RunState& state) {
  at::Tensor& values = state.arena->parameters();
  const at::Tensor trained = values.clone();
  values.copy_(state.averaged);
  try {
    weights::save_module(*state.model, path, state.metadata);
  } catch (...) {
    values.copy_(trained);
    throw;
  }
  values.copy_(trained);
}

// Files in place and flushed, the manifest last.
void fill_folder(const std::filesystem::path& building, const RunState& state) {
  make_folders(building);
  weights::save_module(*state.model, building / "model.safetensors", state.metadata);
  auto files = nlohmann::json::array({describe_file(building / "model.safetensors")});
  if (state.averaged.defined()) {
    save_averaged(building / "ema.safetensors", state);
    files.push_back(describe_file(building / "ema.safetensors"));
  }
  const nlohmann::json manifest{{"format", kManifestVersion},
                                {"step", state.step},
                                {"epoch", state.epoch},
                                {"files", std::move(files)}};
  write_text_atomically(building / "manifest.json", manifest.dump(2) + "\n");
  sync_folder(building);
}

void publish_folder(const std::filesystem::path& building, const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::rename(building, folder, code);
  if (code) {
    throw io_error(
        format("cannot rename {} to {}: {}", building.string(), folder.string(), code.message()));
  }
  sync_folder(folder.parent_path());
}

// A folder that a killed run left half-made is replaced; of a failure nothing stays.
void write_folder(const std::filesystem::path& folder, const RunState& state) {
  const std::filesystem::path building = folder.string() + ".tmp";
  std::error_code ignored;
  std::filesystem::remove_all(building, ignored);
  try {
    fill_folder(building, state);
    publish_folder(building, folder);
  } catch (...) {
    std::filesystem::remove_all(building, ignored);
    throw;
  }
}

}  // namespace

std::filesystem::path save_model(comm::World& world,
                                 const std::filesystem::path& run_folder,
                                 const RunState& state) {
  const std::filesystem::path folder = run_folder / "snapshots" / format("step_{:08d}", state.step);
  comm::agree(world, [&] {
    if (world.rank() == 0) write_folder(folder, state);
  });
  return folder;
}

}  // namespace lockstep::snapshot
