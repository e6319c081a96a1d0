#include <lockstep/data/import.h>

namespace lockstep::data {

DatasetInfo import_samples(SampleSource& source,
                           const ImportTarget& target,
                           const std::function<void(std::int64_t)>& written,
                           const std::function<void(std::int64_t)>& verified) {
  WriterOptions options = source.shape();
  options.path = target.path;
  if (!target.split.empty()) options.split = target.split;
  options.force = target.force;
  options.num_shards = target.num_shards;
  Writer writer(options);
  while (const std::optional<Sample> sample = source.next()) {
    writer.add(*sample);
    if (written) written(1);
  }
  return writer.finish(verified);
}

}  // namespace lockstep::data
