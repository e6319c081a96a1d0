#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/models/options.h>

namespace lockstep::models {
namespace {

void bind_shape(OptionTable& table, Options& options) {
  table.add("model",
            "image_size",
            options.image_size,
            "pixels",
            "Height and width of the square images; the data set must have this size.");
  table.add("model",
            "patch_size",
            options.patch_size,
            "pixels",
            "Side of a patch; must divide image_size. The model sees (image_size / patch_size)^2 "
            "patches: half the patch is four times the work.");
  table.add("model",
            "in_channels",
            options.in_channels,
            "channels",
            "Channels of an image, 1 (grey) or 3 (colour), as in the data set.");
  table.add("model",
            "num_classes",
            options.num_classes,
            "classes",
            "Classes that the head tells apart, at least as many as the data set names.");
}

void bind_size(OptionTable& table, Options& options) {
  table.add("model",
            "dim",
            options.dim,
            "",
            "Width of the tokens. Parameters and work grow with its square.");
  table.add("model", "depth", options.depth, "blocks", "Transformer blocks, one after the other.");
  table.add("model",
            "heads",
            options.heads,
            "heads",
            "Attention heads of a block; must divide dim. 64 dimensions a head are usual.");
  table.add("model",
            "mlp_ratio",
            options.mlp_ratio,
            "",
            "Hidden width of a block's MLP as a multiple of dim.");
}

void check_positive(const char* key, std::int64_t value) {
  if (value < 1) {
    throw config_error(format("model.{} = {} is not positive: write 1 or more", key, value));
  }
}

void check_rate(const char* key, double value) {
  if (value < 0 || value >= 1) {
    throw config_error(
        format("model.{} = {} is outside 0 to below 1: write 0 for none", key, value));
  }
}

}  // namespace

void bind_options(OptionTable& table, Options& options) {
  table.add("model", "name", options.name, "Architecture. vit: Vision Transformer.", {"vit"});
  bind_shape(table, options);
  bind_size(table, options);
  table.add("model",
            "pool",
            options.pool,
            "What the head reads. token: a class token beside the patches. avg: the mean over the "
            "patches; the class token stays in attention, as in timm.",
            {"token", "avg"});
  table.add("model",
            "dropout",
            options.dropout,
            "",
            "Share of activations set to zero in training, 0 to below 1, after the position "
            "embedding, the attention's projection and both layers of the MLP.");
  table.add("model",
            "drop_path",
            options.drop_path,
            "",
            "Stochastic depth: chance that the last block is skipped for a sample in training, 0 "
            "to below 1; it rises linearly from 0 at the first block.");
  table.add("model",
            "layer_scale",
            options.layer_scale,
            "",
            "First value of a learned factor on each block's branches, for example 1e-5 for deep "
            "models. 0: no such factor.");
}

void validate(const Options& options) {
  check_positive("image_size", options.image_size);
  check_positive("patch_size", options.patch_size);
  check_positive("num_classes", options.num_classes);
  check_positive("dim", options.dim);
  check_positive("depth", options.depth);
  check_positive("heads", options.heads);
  if (options.image_size % options.patch_size != 0) {
    throw config_error(
        format("model.patch_size = {} does not divide model.image_size = {}: choose a patch that "
               "does",
               options.patch_size,
               options.image_size));
  }
  if (options.in_channels != 1 && options.in_channels != 3) {
    throw config_error(format("model.in_channels = {} is neither 1 nor 3", options.in_channels));
  }
  if (options.dim % options.heads != 0) {
    throw config_error(
        format("model.heads = {} does not divide model.dim = {}: choose heads that do",
               options.heads,
               options.dim));
  }
  if (options.mlp_ratio * static_cast<double>(options.dim) < 1) {
    throw config_error(format("model.mlp_ratio = {} leaves the MLP without a unit: 4 is usual",
                              options.mlp_ratio));
  }
  if (options.pool != "token" && options.pool != "avg") {
    throw config_error(format("model.pool = {} is neither token nor avg", options.pool));
  }
  check_rate("dropout", options.dropout);
  check_rate("drop_path", options.drop_path);
  if (options.layer_scale < 0) {
    throw config_error(
        format("model.layer_scale = {} is negative: write 0 for none", options.layer_scale));
  }
}

}  // namespace lockstep::models
