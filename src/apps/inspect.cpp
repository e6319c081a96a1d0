// lockstep inspect: what a data file holds, how it is stored, and whether its bytes are sound.
#include "commands.h"
#include "flags.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/progress.h>
#include <lockstep/base/units.h>
#include <lockstep/data/inspect.h>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <optional>

namespace lockstep::apps {
namespace {

constexpr std::size_t kMaxClassesListed = 40;

FlagTable flag_table() {
  return {"lockstep inspect FILE.h5 [--verify] [--json]",
          "Prints what a data file holds: schema, counts, classes, storage, advice.",
          {{"--verify", "", "read every byte: each image's CRC-32C and the content digest"},
           {"--json", "", "one JSON object instead of text"},
           {"--image-key", "NAME", "image data set of a foreign file (images)"},
           {"--label-key", "NAME", "label data set of a foreign file (label)"}}};
}

std::string joined(const std::vector<std::uint64_t>& numbers) {
  std::string text;
  for (const std::uint64_t number : numbers) {
    text += (text.empty() ? "" : " x ") + std::to_string(number);
  }
  return text;
}

std::string storage_text(const data::ArrayInfo& array) {
  std::string text = array.layout;
  if (array.contiguous()) text += format(" at byte {}", array.offset_bytes);
  if (!array.chunk.empty()) text += " " + joined(array.chunk);
  for (const std::string& filter : array.filters) text += ", " + filter;
  return text;
}

std::string list_text(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) text += (text.empty() ? "" : ", ") + format("{:.6f}", number);
  return text;
}

void print_schema(const data::Inspection& found) {
  const data::DatasetInfo& info = found.info;
  const auto line = [](const char* name, const std::string& value) {
    std::printf("%-12s %s\n", name, value.c_str());
  };
  line("file", info.path.string());
  line("format", info.native ? "lockstep 1" : "foreign (no lockstep_format)");
  line("task", info.task);
  if (!info.split.empty()) line("split", info.split);
  line("images",
       format("{} of {} x {} x {} (height, width, channels), {}",
              info.num_samples,
              info.height,
              info.width,
              info.channels,
              info.image_encoding));
  if (found.num_boxes > 0) line("boxes", std::to_string(found.num_boxes));
  line("mean", list_text(info.image_mean));
  line("std", list_text(info.image_std));
  if (!info.content_digest.empty()) line("digest", info.content_digest);
  for (const data::ArrayInfo& array : found.arrays) {
    line("data set",
         format("/{}  {} {}  {}  {}",
                array.key,
                array.type,
                array.shape_text(),
                bytes_text(static_cast<double>(array.size_bytes)),
                storage_text(array)));
  }
}

void print_classes(const data::Inspection& found) {
  const std::size_t count = found.info.classes.size();
  std::printf("%-12s %zu\n", "classes", count);
  for (std::size_t i = 0; i < std::min(count, kMaxClassesListed); ++i) {
    std::printf("  %4zu %-24s %lld\n",
                i,
                found.info.classes[i].c_str(),
                static_cast<long long>(found.samples_per_class[i]));
  }
  if (count > kMaxClassesListed) std::printf("  ... (--json has all)\n");
  for (const std::string& advice : found.advice)
    std::printf("%-12s %s\n", "advice", advice.c_str());
}

nlohmann::ordered_json schema_json(const data::Inspection& found) {
  const data::DatasetInfo& info = found.info;
  nlohmann::ordered_json json{{"file", info.path.string()},
                              {"native", info.native},
                              {"task", info.task},
                              {"split", info.split},
                              {"image_encoding", info.image_encoding},
                              {"num_samples", info.num_samples},
                              {"height", info.height},
                              {"width", info.width},
                              {"channels", info.channels},
                              {"num_boxes", found.num_boxes},
                              {"image_mean", info.image_mean},
                              {"image_std", info.image_std},
                              {"content_digest", info.content_digest},
                              {"classes", info.classes},
                              {"samples_per_class", found.samples_per_class},
                              {"advice", found.advice}};
  for (const data::ArrayInfo& array : found.arrays) {
    json["data_sets"].push_back({{"key", array.key},
                                 {"type", array.type},
                                 {"shape", array.shape},
                                 {"layout", array.layout},
                                 {"chunk", array.chunk},
                                 {"filters", array.filters},
                                 {"offset_bytes", array.offset_bytes},
                                 {"size_bytes", array.size_bytes}});
  }
  return json;
}

data::Verification verify(const std::filesystem::path& path,
                          const data::Options& options,
                          std::int64_t num_samples) {
  Progress progress("verifying", num_samples, "images");
  return data::verify_dataset(
      path, options, [&progress](std::int64_t amount) { progress.advance(amount); });
}

std::string bad_text(const data::Verification& result) {
  std::string text =
      format("{} of {} images do not match their CRC-32C", result.num_bad, result.num_samples);
  for (std::size_t i = 0; i < result.bad_samples.size(); ++i) {
    text += format("{}{}", i == 0 ? " (samples " : ", ", result.bad_samples[i]);
  }
  if (!result.bad_samples.empty()) {
    text += std::cmp_less(result.bad_samples.size(), result.num_bad) ? ", ...)" : ")";
  }
  return text;
}

void print_verified(const data::Verification& result, double elapsed_s) {
  const std::string read = format(
      "{} in {}", bytes_text(static_cast<double>(result.bytes_read)), duration_text(elapsed_s));
  std::printf("%-12s %s\n",
              "verified",
              (result.has_checksums ? format("every image and the digest, {}", read)
                                    : format("readable; no checksums to compare with, {}", read))
                  .c_str());
}

}  // namespace

int run_inspect(Arguments arguments) {
  const FlagTable table = flag_table();
  const Flags flags(table, arguments);
  if (flags.help()) {
    std::fputs(help_text(table).c_str(), stdout);
    return 0;
  }
  if (flags.positional().size() != 1) {
    throw usage_error(format("one file is needed (usage: {})", table.usage));
  }
  data::Options options;
  options.image_key = flags.text("--image-key", options.image_key);
  options.label_key = flags.text("--label-key", options.label_key);
  const std::filesystem::path path = flags.positional()[0];
  const data::Inspection found = data::inspect_dataset(path, options);
  const Stopwatch watch;
  std::optional<data::Verification> result;
  if (flags.has("--verify")) result = verify(path, options, found.info.num_samples);
  if (flags.has("--json")) {
    nlohmann::ordered_json json = schema_json(found);
    if (result) {
      json["verified"] = {{"good", result->good()},
                          {"has_checksums", result->has_checksums},
                          {"num_bad", result->num_bad},
                          {"bad_samples", result->bad_samples},
                          {"digest_matches", result->digest_matches}};
    }
    std::printf("%s\n", json.dump(2).c_str());
  } else {
    print_schema(found);
    print_classes(found);
    if (result && result->good()) print_verified(*result, watch.elapsed_s());
  }
  if (!result || result->good()) return 0;
  throw data_error(
      format("{}: {}: make or copy it again",
             path.string(),
             result->num_bad > 0 ? bad_text(*result) : "the content digest does not match"));
}

}  // namespace lockstep::apps
