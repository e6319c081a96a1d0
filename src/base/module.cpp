#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/module.h>

#include <dlfcn.h>

#include <filesystem>

namespace lockstep {
namespace {

std::filesystem::path library_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&open_module), &info) == 0) return {};
  return std::filesystem::weakly_canonical(info.dli_fname).parent_path();
}

}  // namespace

void* open_module(const std::string& name) {
  const std::filesystem::path path = library_folder() / ("liblockstep_" + name + ".so");
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr) {
    throw unavailable_error(format(
        "cannot open the {} part of lockstep: {} (was it built, and are the libraries that it "
        "needs installed? launch/setup and launch/build do both)",
        name,
        dlerror()));
  }
  return handle;
}

void* module_symbol(void* handle, const char* name) {
  void* symbol = dlsym(handle, name);
  if (symbol == nullptr) throw internal_error(format("symbol {} is missing", name));
  return symbol;
}

}  // namespace lockstep
