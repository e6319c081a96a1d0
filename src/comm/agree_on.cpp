// Facts that every rank must have alike: compared by one digest, by name only when they differ.
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>
#include <lockstep/comm/world.h>

#include <algorithm>
#include <map>

namespace lockstep::comm {
namespace {

// Of values and of lists of ranks, in a message.
constexpr std::size_t kMostShown_bytes = 80;
constexpr std::size_t kMostRanksShown = 8;
// Neither keys nor values hold these.
constexpr char kEndOfKey = '\x1f';
constexpr char kEndOfFact = '\x1e';

std::string joined(const std::vector<Fact>& facts) {
  std::string text;
  for (const Fact& fact : facts) {
    text += fact.key + kEndOfKey + fact.value + kEndOfFact;
  }
  return text;
}

std::vector<Fact> split(const std::string& text) {
  std::vector<Fact> facts;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t key_end = text.find(kEndOfKey, begin);
    const std::size_t end = text.find(kEndOfFact, key_end);
    facts.push_back(
        {text.substr(begin, key_end - begin), text.substr(key_end + 1, end - key_end - 1)});
    begin = end + 1;
  }
  return facts;
}

std::string shown(const std::string& value) {
  if (value.empty()) return "nothing";
  return value.size() <= kMostShown_bytes ? value : value.substr(0, kMostShown_bytes) + "...";
}

std::string shown(const std::vector<int>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < std::min(ranks.size(), kMostRanksShown); ++i) {
    text += (i == 0 ? "" : ", ") + format("{}", ranks[i]);
  }
  return ranks.size() > kMostRanksShown
             ? text + format(" and {} more", ranks.size() - kMostRanksShown)
             : text;
}

// The value of `key` on each rank; "missing" where it has none.
std::vector<std::string> values_of(const std::string& key,
                                   const std::vector<std::vector<Fact>>& all) {
  std::vector<std::string> values;
  for (const std::vector<Fact>& facts : all) {
    const auto found = std::ranges::find(facts, key, &Fact::key);
    values.push_back(found == facts.end() ? "missing" : found->value);
  }
  return values;
}

// Empty when all ranks have it alike. `odd` becomes the lowest rank outside of rank 0's party.
std::string difference(const std::string& key, const std::vector<std::string>& values, int& odd) {
  std::vector<std::pair<std::string, std::vector<int>>> parties;
  for (std::size_t rank = 0; rank < values.size(); ++rank) {
    const auto found =
        std::ranges::find(parties, values[rank], &std::pair<std::string, std::vector<int>>::first);
    auto& party =
        found == parties.end() ? parties.emplace_back(values[rank], std::vector<int>{}) : *found;
    party.second.push_back(static_cast<int>(rank));
  }
  if (parties.size() == 1) return {};
  odd = parties[1].second.front();
  std::string text;
  for (const auto& [value, ranks] : parties) {
    text += format("{}{} on {}", text.empty() ? "" : " and ", shown(value), shown(ranks));
  }
  return format("{} is {}: start all ranks with the same program, settings and data", key, text);
}

}  // namespace

void agree_on(World& world, const std::vector<Fact>& facts) {
  const std::string own = joined(facts);
  const std::string digest = sha256_hex(bytes_of(own));
  const auto digests = all_gather_text(world.control(), digest);
  if (std::ranges::all_of(digests, [&](const std::string& other) { return other == digests[0]; })) {
    return;
  }
  std::vector<std::vector<Fact>> all;
  for (const std::string& text : all_gather_text(world.control(), own)) all.push_back(split(text));
  for (const std::vector<Fact>& candidates : all) {
    for (const Fact& fact : candidates) {
      int odd = 0;
      const std::string text = difference(fact.key, values_of(fact.key, all), odd);
      if (!text.empty()) throw AgreedError({ExitCode::kConfig, odd, text});
    }
  }
  throw internal_error("facts differ between ranks, but no key does");
}

}  // namespace lockstep::comm
