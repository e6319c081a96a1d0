#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/models/recompute_plan.h>

#include <charconv>
#include <string_view>

namespace lockstep::models {
namespace {

constexpr std::string_view kEvery = "every:";
constexpr std::string_view kSelective = "selective:";

[[noreturn]] void refuse(const std::string& text, const std::string& because) {
  throw config_error(
      format("memory.recompute = {} {}: write none, every:K, selective:PART[,PART] with the parts "
             "attention, mlp and gelu, or budget",
             text,
             because));
}

std::int64_t parse_count(const std::string& text, std::string_view digits) {
  std::int64_t count = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, count);
  if (error != std::errc() || stop != end || count < 1) {
    refuse(text, "names no number of blocks of 1 or more");
  }
  return count;
}

void add_part(const std::string& text, std::string_view part, RecomputePlan& plan) {
  bool* const chosen = part == "attention" ? &plan.attention
                       : part == "mlp"     ? &plan.mlp
                       : part == "gelu"    ? &plan.gelu
                                           : nullptr;
  if (chosen == nullptr) refuse(text, format("has no part \"{}\"", part));
  if (*chosen) refuse(text, format("names {} twice", part));
  *chosen = true;
}

}  // namespace

RecomputePlan parse_recompute(const std::string& text) {
  RecomputePlan plan;
  std::string_view rest = text;
  if (text == "none") return plan;
  if (rest.starts_with(kEvery)) {
    plan.every = parse_count(text, rest.substr(kEvery.size()));
    return plan;
  }
  if (!rest.starts_with(kSelective)) refuse(text, "is no mode");
  rest.remove_prefix(kSelective.size());
  while (true) {
    const std::size_t comma = rest.find(',');
    add_part(text, rest.substr(0, comma), plan);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (plan.mlp && plan.gelu) refuse(text, "names gelu, which is part of mlp");
  return plan;
}

std::string recompute_text(const RecomputePlan& plan) {
  if (plan.every > 0) return format("{}{}", kEvery, plan.every);
  if (!plan.parts()) return "none";
  std::string text(kSelective);
  const auto add = [&text](bool chosen, std::string_view part) {
    if (!chosen) return;
    if (text.size() > kSelective.size()) text += ',';
    text += part;
  };
  add(plan.attention, "attention");
  add(plan.mlp, "mlp");
  add(plan.gelu, "gelu");
  return text;
}

void check_recompute(const RecomputePlan& plan, std::int64_t depth) {
  if (plan.every == 0 || plan.every < depth) return;
  throw config_error(
      format("memory.recompute = {} leaves nothing to recompute of model.depth = {} blocks, as the "
             "last group is kept: {}",
             recompute_text(plan),
             depth,
             depth > 1 ? format("write a group of 1 to {}", depth - 1) : "write none"));
}

}  // namespace lockstep::models
