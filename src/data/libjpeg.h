// jpeglib.h with what it needs before it. The door to libjpeg-turbo.
#pragma once

// clang-format off
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on
