#include "train/memory_shrink.h"

#include "tiny_run.h"

namespace lockstep::train {
namespace {

std::vector<std::string> ways(Session& session, std::int64_t depth) {
  std::vector<std::string> out;
  while (shrink(session, depth)) {
    out.push_back(std::to_string(session.parts) + " " + recompute_text(session.recompute));
  }
  return out;
}

TEST(MemoryShrink, CutsTheMicroBatchFirstAndThenRecomputes) {
  Session session;
  models::Options model = tiny_model();
  model.depth = 3;
  session.model = std::make_shared<models::Vit>(model, 1);
  session.plan.batch_per_rank = 6;
  EXPECT_EQ(ways(session, 3),
            (std::vector<std::string>{"2 none", "3 none", "6 none", "6 every:1"}));
  EXPECT_FALSE(shrink(session, 3));
}

TEST(MemoryShrink, ASingleBlockIsRecomputedInParts) {
  Session session;
  session.model = std::make_shared<models::Vit>(tiny_model(), 1);
  session.plan.batch_per_rank = 1;
  EXPECT_EQ(ways(session, 1), (std::vector<std::string>{"1 selective:attention,mlp"}));
}

}  // namespace
}  // namespace lockstep::train
