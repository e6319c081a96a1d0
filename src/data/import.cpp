#include <lockstep/data/import.h>

namespace lockstep::data {

DatasetInfo import_samples(SampleSource& source,
                           const ImportTarget& target,
                           const std::function<void(std::int64_t)>& written,
                           const std::function<void(std::int64_t)>& verified) {
  WriterOptions options = source.shape();
  options.path = target.path;
  options.split = target.split;
  options.force = target.force;
  Writer writer(options);
  for (std::int64_t i = 0; i < options.num_samples; ++i) {
    writer.add(source.next());
    if (written) written(1);
  }
  return writer.finish(verified);
}

}  // namespace lockstep::data
