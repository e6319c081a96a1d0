// The kinds of `lockstep prepare` that read pictures: cifar, image-folder, coco and voc.
#pragma once

#include "commands.h"

namespace lockstep::apps {

// Each takes what follows its kind on the command line.
int prepare_cifar(Arguments arguments);
int prepare_image_folder(Arguments arguments);
int prepare_coco(Arguments arguments);
int prepare_voc(Arguments arguments);

}  // namespace lockstep::apps
