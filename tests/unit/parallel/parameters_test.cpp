#include <lockstep/parallel/reducer.h>

#include <gmock/gmock.h>
#include <support/tiny_model.h>

namespace lockstep::parallel {
namespace {

TEST(ParametersOf, EachSharedTensorOnceAndNoFrozenOnes) {
  test::SharedAndUnused module;
  std::vector<std::string> names;
  for (const optim::NamedParameter& p : parameters_of(module)) names.push_back(p.name);
  EXPECT_THAT(names, testing::ElementsAre("first", "unused", "last"));
}

}  // namespace
}  // namespace lockstep::parallel
