// lockstep inspect: what a data file holds, how it is stored, and whether its bytes are sound.
#include "commands.h"
#include "flags.h"
#include "probe_input.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/progress.h>
#include <lockstep/base/units.h>
#include <lockstep/data/inspect.h>
#include <lockstep/data/io_plan.h>
#include <lockstep/data/probe.h>
#include <lockstep/train/options.h>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <optional>

namespace lockstep::apps {
namespace {

constexpr std::size_t kMaxClassesListed = 40;

FlagTable flag_table() {
  return {
      "lockstep inspect FILE.h5 [--verify] [--json]",
      "Prints what a data file holds: schema, counts, classes, storage, what reading it costs.\n"
      "Of HDF5 files without images and labels under these names it lists the data sets.",
      {{"--verify", "", "read every byte: each image's CRC-32C and the content digest"},
       {"--json", "", "one JSON object instead of text"},
       {"--image-key", "NAME", "image data set of a foreign file (images)"},
       {"--label-key", "NAME", "label data set of a foreign file (label)"},
       {"--order", "ORDER", "of the I/O plan: auto, global, window or sequential (auto)"},
       {"--batch", "N", "samples that the I/O plan reads together (train.batch_per_rank)"}}};
}

// Not in the help: what probe_input starts.
constexpr const char* kProbeFlag = "--probe";

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
  if (array.stored_bytes > 0 && !array.contiguous()) {
    text += format(", {} stored", bytes_text(static_cast<double>(array.stored_bytes)));
  }
  return text;
}

std::string list_text(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) text += (text.empty() ? "" : ", ") + format("{:.6f}", number);
  return text;
}

std::string boxes_text(const data::Inspection& found) {
  const data::BoxStatistics& boxes = found.boxes;
  return format(
      "{}: {} small, {} medium, {} large, {} crowd, {} bad; at most {} in an image, {} "
      "images without",
      found.num_boxes,
      boxes.num_small,
      boxes.num_medium,
      boxes.num_large,
      boxes.num_crowd,
      boxes.num_bad,
      boxes.most_in_an_image,
      boxes.num_images_without);
}

std::string array_text(const data::ArrayInfo& array) {
  return format("/{}  {} {}  {}  {}",
                array.key,
                array.type,
                array.shape_text(),
                bytes_text(static_cast<double>(array.size_bytes)),
                storage_text(array));
}

std::string images_text(const data::DatasetInfo& info) {
  if (!info.uniform()) {
    return format("{} of differing sizes, {} {}, {}",
                  info.num_samples,
                  info.channels,
                  info.channels == 1 ? "channel" : "channels",
                  info.image_encoding);
  }
  return format("{} of {} x {} x {} (height, width, channels), {}",
                info.num_samples,
                info.height,
                info.width,
                info.channels,
                info.image_encoding);
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
  line("images", images_text(info));
  if (!info.shards.empty()) line("files", std::to_string(info.shards.size()));
  if (found.num_boxes > 0) line("boxes", boxes_text(found));
  line("mean", list_text(info.image_mean));
  line("std", list_text(info.image_std));
  if (!info.content_digest.empty()) line("digest", info.content_digest);
  for (const data::ArrayInfo& array : found.arrays) {
    line("data set", array_text(array));
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

std::string plan_text(const data::IoPlan& plan) {
  std::string text = format("{:.3g} bytes read for each used, {:.3g} reads a sample",
                            plan.bytes_read_per_useful_byte,
                            plan.requests_per_sample);
  if (plan.bytes_inflated_per_useful_byte > 0) {
    text += format(", {:.3g} bytes inflated for each used", plan.bytes_inflated_per_useful_byte);
  }
  return plan.through_library ? text + ", through the library's one lock" : text;
}

// What would read less; empty when nothing would.
std::vector<std::string> better_plans(const data::Inspection& found,
                                      const data::IoPlan& plan,
                                      data::IoQuestion question) {
  std::vector<std::string> better;
  if (plan.order == "global" && found.samples_per_chunk > 1) {
    question.order = "window";
    better.push_back(format("--data.order window: {}", plan_text(plan_io(found, question))));
  }
  if (!plan.one_read_a_sample()) {
    const std::string path = found.info.path.string();
    const std::string stem = found.info.path.stem().string();
    better.push_back(
        format("lockstep prepare repack {} --out {}_repacked.h5: 1 byte read for each "
               "used, 1 read a sample, {} on the disk, every sample checked",
               path,
               stem,
               bytes_text(static_cast<double>(found.arrays.front().size_bytes))));
  }
  return better;
}

data::IoQuestion question_of(const Flags& flags) {
  data::IoQuestion question;
  question.order = flags.text("--order", question.order);
  question.batch = flags.whole("--batch", train::TrainOptions{}.batch_per_rank);
  question.cache_bytes = data::Options{}.chunk_cache_mib << 20;
  const bool known = question.order == "auto" || question.order == "global" ||
                     question.order == "window" || question.order == "sequential";
  if (!known)
    throw usage_error(
        format("--order {} is not auto, global, window or sequential", question.order));
  if (question.batch < 1) throw usage_error("--batch is not above 0");
  return question;
}

void print_plan(const data::Inspection& found, const data::IoQuestion& question) {
  const data::IoPlan plan = plan_io(found, question);
  std::printf("%-12s order %s, batch %lld: %s\n",
              "I/O plan",
              plan.order.c_str(),
              static_cast<long long>(question.batch),
              plan_text(plan).c_str());
  for (const std::string& better : better_plans(found, plan, question)) {
    std::printf("%-12s %s\n", "better", better.c_str());
  }
}

nlohmann::ordered_json plan_json(const data::Inspection& found, const data::IoQuestion& question) {
  const data::IoPlan plan = plan_io(found, question);
  return {{"order", plan.order},
          {"batch", question.batch},
          {"bytes_read_per_useful_byte", plan.bytes_read_per_useful_byte},
          {"bytes_inflated_per_useful_byte", plan.bytes_inflated_per_useful_byte},
          {"requests_per_sample", plan.requests_per_sample},
          {"through_library", plan.through_library},
          {"better", better_plans(found, plan, question)}};
}

nlohmann::ordered_json array_json(const data::ArrayInfo& array) {
  return {{"key", array.key},
          {"type", array.type},
          {"shape", array.shape},
          {"layout", array.layout},
          {"chunk", array.chunk},
          {"filters", array.filters},
          {"offset_bytes", array.offset_bytes},
          {"size_bytes", array.size_bytes},
          {"stored_bytes", array.stored_bytes},
          {"library_only", array.library_only}};
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
                              {"samples_per_chunk", found.samples_per_chunk},
                              {"num_boxes", found.num_boxes},
                              {"image_mean", info.image_mean},
                              {"image_std", info.image_std},
                              {"content_digest", info.content_digest},
                              {"classes", info.classes},
                              {"samples_per_class", found.samples_per_class},
                              {"advice", found.advice}};
  for (const data::ArrayInfo& array : found.arrays) {
    json["data_sets"].push_back(array_json(array));
  }
  if (found.info.task == "detection") {
    const data::BoxStatistics& boxes = found.boxes;
    json["boxes"] = {{"small", boxes.num_small},
                     {"medium", boxes.num_medium},
                     {"large", boxes.num_large},
                     {"crowd", boxes.num_crowd},
                     {"bad", boxes.num_bad},
                     {"most_in_an_image", boxes.most_in_an_image},
                     {"images_without", boxes.num_images_without}};
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

// A file whose data sets have other names: what there is, and which to name.
void list_names(const std::filesystem::path& path, bool json) {
  const data::Listing listing = data::list_file(path);
  if (json) {
    nlohmann::ordered_json object{{"file", path.string()},
                                  {"native", false},
                                  {"image_key", listing.image_key},
                                  {"label_key", listing.label_key},
                                  {"data_sets", nlohmann::ordered_json::array()}};
    for (const data::ListedArray& array : listing.arrays) {
      auto entry = array_json(array.info);
      if (!array.refused.empty()) entry["refused"] = array.refused;
      object["data_sets"].push_back(std::move(entry));
    }
    std::printf("%s\n",
                object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("%-12s %s\n%-12s foreign (no lockstep_format)\n", "file", path.c_str(), "format");
  for (const data::ListedArray& array : listing.arrays) {
    const std::string text =
        array.refused.empty() ? array_text(array.info) : "refused: " + array.refused;
    std::printf("%-12s %s\n", "data set", text.c_str());
  }
  const auto or_name = [](const std::string& key) { return key.empty() ? "NAME" : key; };
  std::printf(
      "%-12s name the images and their labels: --image-key %s --label-key %s (training: "
      "--data.image_key, --data.label_key)\n",
      "advice",
      or_name(listing.image_key).c_str(),
      or_name(listing.label_key).c_str());
}

// In the process that a probe started: the reason of a refusal goes to who reads it.
int answer_probe(const std::filesystem::path& path, const data::Options& options) {
  try {
    data::probe_here(path, options);
    return 0;
  } catch (...) {
    const Error error = current_error();
    std::printf("%s\n", error.what());
    return static_cast<int>(error.code());
  }
}

// Throws: Error(kBadData) when what was verified is not good.
void inspect(const std::filesystem::path& path, const data::Options& options, const Flags& flags) {
  const data::IoQuestion question = question_of(flags);
  const data::Inspection found = data::inspect_dataset(path, options);
  const Stopwatch watch;
  std::optional<data::Verification> result;
  if (flags.has("--verify")) result = verify(path, options, found.info.num_samples);
  if (flags.has("--json")) {
    nlohmann::ordered_json json = schema_json(found);
    json["io_plan"] = plan_json(found, question);
    if (result) {
      json["verified"] = {{"good", result->good()},
                          {"has_checksums", result->has_checksums},
                          {"num_bad", result->num_bad},
                          {"bad_samples", result->bad_samples},
                          {"digest_matches", result->digest_matches}};
    }
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    print_schema(found);
    print_classes(found);
    print_plan(found, question);
    if (result && result->good()) print_verified(*result, watch.elapsed_s());
  }
  if (!result || result->good()) return;
  throw data_error(
      format("{}: {}: make or copy it again",
             path.string(),
             result->num_bad > 0 ? bad_text(*result) : "the content digest does not match"));
}

}  // namespace

int run_inspect(Arguments arguments) {
  const FlagTable table = flag_table();
  const bool probing = !arguments.empty() && arguments.front() == kProbeFlag;
  if (probing) arguments = arguments.subspan(1);
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
  if (probing) return answer_probe(path, options);
  probe_input(path, options);
  const bool named = flags.has("--image-key") || flags.has("--label-key");
  if (!named && path.extension() != ".json" && !data::holds_keys(path, options)) {
    if (flags.has("--verify")) {
      throw usage_error(
          format("{} has no data sets \"{}\" and \"{}\": name those to verify with "
                 "--image-key and --label-key",
                 path.string(),
                 options.image_key,
                 options.label_key));
    }
    list_names(path, flags.has("--json"));
  } else {
    inspect(path, options, flags);
  }
  return 0;
}

}  // namespace lockstep::apps
