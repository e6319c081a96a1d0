#include "support/temporary_folder.h"
#include "support/tiny_model.h"

#include <lockstep/base/file.h>
#include <lockstep/base/hash.h>
#include <lockstep/snapshot/snapshot.h>
#include <lockstep/weights/module_tensors.h>

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>
#include <string>
#include <vector>

namespace lockstep::snapshot {
namespace {

namespace fs = std::filesystem;

// More than one piece of what is read at once for the hash.
const std::vector<std::int64_t> kWidths{1100, 1000, 2};

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    state_.model = &model_;
    state_.step = 42;
    state_.epoch = 3;
    state_.metadata = {{"model.dim", "8"}, {"classes", "[\"a\"]"}};
  }
  fs::path save() { return save_model(*world_, folder_.path(), state_); }
  std::set<std::string> names(const fs::path& folder) const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder)) {
      found.insert(entry.path().filename().string());
    }
    return found;
  }

  TemporaryFolder folder_;
  std::unique_ptr<comm::World> world_ = comm::open_solo_world();
  test::TinyChain model_{kWidths};
  RunState state_;
};

TEST_F(SnapshotTest, IsAFolderNamedByTheStep) {
  const fs::path folder = save();
  EXPECT_EQ(folder, folder_ / "snapshots" / "step_00000042");
  EXPECT_EQ(names(folder), (std::set<std::string>{"manifest.json", "model.safetensors"}));
  EXPECT_EQ(names(folder.parent_path()), std::set<std::string>{"step_00000042"});
}

// One parameter in an arena: the file holds its average, the model keeps what it was trained to.
TEST_F(SnapshotTest, TheAverageLiesBesideTheModel) {
  const at::Tensor trained = model_.weights[0].detach().clone();
  optim::Layout layout;
  layout.offset = {0};
  layout.stats_offset = trained.numel();
  layout.total = layout.stats_offset + optim::kNumStats;
  optim::Arena arena(*world_, {{"layer0_weight", model_.weights[0]}}, layout, at::kCPU);
  state_.arena = &arena;
  state_.averaged = arena.parameters() * 2;
  const fs::path folder = save();
  EXPECT_EQ(names(folder),
            (std::set<std::string>{"ema.safetensors", "manifest.json", "model.safetensors"}));
  EXPECT_TRUE(model_.weights[0].equal(trained));
  test::TinyChain again(kWidths);
  weights::load_module(again, folder / "ema.safetensors", {});
  EXPECT_TRUE(again.weights[0].equal(trained * 2));
  EXPECT_TRUE(again.weights[1].equal(model_.weights[1]));
  weights::load_module(again, folder / "model.safetensors", {});
  EXPECT_TRUE(again.weights[0].equal(trained));
}

TEST_F(SnapshotTest, TheModelComesBackBitForBit) {
  const fs::path folder = save();
  test::TinyChain again(kWidths);
  weights::load_module(again, folder / "model.safetensors", {});
  for (std::size_t i = 0; i < model_.weights.size(); ++i) {
    EXPECT_TRUE(again.weights[i].equal(model_.weights[i]));
    EXPECT_TRUE(again.biases[i].equal(model_.biases[i]));
  }
  const weights::SafetensorsFile file(folder / "model.safetensors");
  EXPECT_EQ(file.metadata().at("model.dim"), "8");
  EXPECT_EQ(file.metadata().at("classes"), "[\"a\"]");
}

TEST_F(SnapshotTest, TheManifestDescribesEveryFile) {
  const fs::path folder = save();
  const auto manifest = nlohmann::json::parse(read_text(folder / "manifest.json"));
  EXPECT_EQ(manifest.at("step"), 42);
  EXPECT_EQ(manifest.at("epoch"), 3);
  ASSERT_TRUE(manifest.at("files").is_array());
  ASSERT_EQ(manifest.at("files").size(), 1U);
  const auto& file = manifest.at("files")[0];
  EXPECT_EQ(file.at("name"), "model.safetensors");
  const std::string bytes = read_text(folder / "model.safetensors");
  EXPECT_EQ(file.at("size_bytes"), bytes.size());
  EXPECT_EQ(file.at("sha256"), sha256_hex(bytes_of(bytes)));
}

TEST_F(SnapshotTest, ReplacesWhatAKilledRunLeftHalfMade) {
  const fs::path left = folder_ / "snapshots" / "step_00000042.tmp";
  fs::create_directories(left);
  write_file(left / "model.safetensors", "half");
  write_file(left / "stranger", "");
  const fs::path folder = save();
  EXPECT_FALSE(fs::exists(left));
  EXPECT_FALSE(fs::exists(folder / "stranger"));
}

TEST_F(SnapshotTest, AFailureLeavesNothingHalfMade) {
  const fs::path taken = folder_ / "snapshots" / "step_00000042";
  fs::create_directories(taken);
  write_file(taken / "mine", "kept");
  try {
    save();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const comm::AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::kIo);
    EXPECT_NE(std::string(error.what()).find("step_00000042"), std::string::npos);
  }
  EXPECT_EQ(names(taken), std::set<std::string>{"mine"});
  EXPECT_EQ(names(taken.parent_path()), std::set<std::string>{"step_00000042"});
}

}  // namespace
}  // namespace lockstep::snapshot
