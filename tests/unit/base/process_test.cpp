// Facts about the process, compared with what the system says.
#include <lockstep/base/process.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>

namespace lockstep {
namespace {

// Environment variables for a test; their old values come back.
class Variables {
 public:
  ~Variables() {
    for (const auto& [name, value] : before_) {
      if (value) {
        setenv(name.c_str(), value->c_str(), 1);
      } else {
        unsetenv(name.c_str());
      }
    }
  }
  void set(const std::string& name, const std::string& value) {
    remember(name);
    setenv(name.c_str(), value.c_str(), 1);
  }
  void unset(const std::string& name) {
    remember(name);
    unsetenv(name.c_str());
  }

 private:
  void remember(const std::string& name) { before_.emplace(name, environment(name.c_str())); }
  std::map<std::string, std::optional<std::string>> before_;
};

void forget_launchers(Variables& variables) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE",
                           "PMIX_RANK",
                           "PMI_RANK",
                           "PMI_SIZE",
                           "MPI_LOCALNRANKS",
                           "SLURM_STEP_NUM_TASKS"}) {
    variables.unset(name);
  }
}

TEST(Environment, UnsetAndEmptyDiffer) {
  Variables variables;
  variables.unset("LOCKSTEP_TEST_VARIABLE");
  EXPECT_EQ(environment("LOCKSTEP_TEST_VARIABLE"), std::nullopt);
  variables.set("LOCKSTEP_TEST_VARIABLE", "");
  EXPECT_EQ(environment("LOCKSTEP_TEST_VARIABLE"), "");
  variables.set("LOCKSTEP_TEST_VARIABLE", "a b");
  EXPECT_EQ(environment("LOCKSTEP_TEST_VARIABLE"), "a b");
}

TEST(Launcher, NoneForAPlainStart) {
  Variables variables;
  forget_launchers(variables);
  EXPECT_FALSE(started_by_launcher());
}

TEST(Launcher, IsKnownByItsVariables) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"}) {
    Variables variables;
    forget_launchers(variables);
    variables.set(name, "1");
    EXPECT_TRUE(started_by_launcher()) << name;
  }
}

// A shell inside an allocation sets the variable too, with one task.
TEST(Launcher, SlurmCountsOnlyWithSeveralTasks) {
  Variables variables;
  forget_launchers(variables);
  variables.set("SLURM_STEP_NUM_TASKS", "1");
  EXPECT_FALSE(started_by_launcher());
  variables.set("SLURM_STEP_NUM_TASKS", "2");
  EXPECT_TRUE(started_by_launcher());
}

TEST(HostName, IsTheSystems) {
  char name[256] = {};
  ASSERT_EQ(gethostname(name, sizeof name - 1), 0);
  EXPECT_EQ(host_name(), name);
}

TEST(Memory, FollowsWhatIsTouched) {
  constexpr std::size_t kBytes = 64 << 20;
  const std::int64_t before = resident_bytes();
  ASSERT_GT(before, 1 << 20);
  {
    const auto block = std::make_unique<char[]>(kBytes);
    std::memset(block.get(), 1, kBytes);
    // Far below what was touched: a kernel may take pages back at any time.
    EXPECT_GE(resident_bytes() - before, std::int64_t{kBytes} / 4);
    EXPECT_EQ(block[kBytes / 2], 1);
  }
  EXPECT_GE(peak_resident_bytes() - before, std::int64_t{kBytes} / 4);
}

}  // namespace
}  // namespace lockstep
