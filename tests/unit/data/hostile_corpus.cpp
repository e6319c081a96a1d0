#include "hostile_corpus.h"

#include "foreign_fixture.h"

#include <zlib.h>

#include <array>
#include <cstring>

namespace lockstep::data {
namespace {

using Path = std::filesystem::path;
using Write = std::function<void(const Path&)>;
using Create = std::function<void(hid_t file, const char* name)>;

Hid shaped(const std::vector<hsize_t>& shape, const std::vector<hsize_t>& max = {}) {
  return {H5Screate_simple(
              static_cast<int>(shape.size()), shape.data(), max.empty() ? nullptr : max.data()),
          H5Sclose};
}

void create(
    hid_t file, const char* name, hid_t type, const Hid& space, hid_t creation = H5P_DEFAULT) {
  const Hid dataset(H5Dcreate2(file, name, type, space.get(), H5P_DEFAULT, creation, H5P_DEFAULT),
                    H5Dclose);
  ASSERT_TRUE(dataset) << name;
}

// A good file whose data set `name` is replaced.
Write with(const char* name, const Create& replace) {
  return [name, replace](const Path& path) {
    write_foreign(path, {});
    edit(path, [&](hid_t file) {
      H5Ldelete(file, name, H5P_DEFAULT);
      replace(file, name);
    });
  };
}

Write of_type(const char* name,
              const std::function<hid_t()>& make,
              const std::vector<hsize_t>& shape) {
  return with(name, [make, shape](hid_t file, const char* key) {
    const Hid type(make(), H5Tclose);
    create(file, key, type.get(), shaped(shape));
  });
}

Write of_shape(const std::vector<hsize_t>& shape,
               const std::vector<hsize_t>& chunk = {},
               bool deflate = false) {
  return with("images", [shape, chunk, deflate](hid_t file, const char* key) {
    const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    if (!chunk.empty()) H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data());
    if (deflate) H5Pset_deflate(creation.get(), 9);
    // Small ones get their bytes, so that the shape is what is wrong.
    if (shape.back() <= 70000 && shape.front() <= 6 && chunk.empty()) {
      H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY);
    }
    create(file, key, H5T_STD_U8LE, shaped(shape), creation.get());
  });
}

Write with_creation(const char* name,
                    const std::vector<hsize_t>& shape,
                    const std::function<void(hid_t)>& set) {
  return with(name, [shape, set](hid_t file, const char* key) {
    const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    set(creation.get());
    create(file, key, H5T_STD_U8LE, shaped(shape), creation.get());
  });
}

Write link(const std::function<void(hid_t, const char*)>& make, const char* name = "images") {
  return with(name, make);
}

Write attribute(const std::function<void(hid_t)>& add) {
  return [add](const Path& path) {
    const Hdf5Session session;
    const Hid access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_libver_bounds(access.get(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    const Hid file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
    add_array(file.get(), {});
    ForeignArray label;
    label.key = "label";
    label.shape = {20};
    add_array(file.get(), label);
    add(file.get());
  };
}

void add_numbers(hid_t file, const std::string& name, hsize_t count) {
  const Hid space = shaped({count});
  const Hid made(
      H5Acreate2(file, name.c_str(), H5T_STD_U8LE, space.get(), H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose);
  const std::vector<std::uint8_t> values(count, 1);
  ASSERT_GE(H5Awrite(made.get(), H5T_NATIVE_UINT8, values.data()), 0) << name;
}

// A zlib stream of so many zeros.
std::string zeros(std::size_t count) {
  z_stream stream{};
  deflateInit(&stream, 9);
  std::vector<unsigned char> in(1 << 20);
  std::vector<unsigned char> out(1 << 20);
  std::string all;
  for (std::size_t done = 0; done < count; done += in.size()) {
    stream.next_in = in.data();
    stream.avail_in = static_cast<unsigned>(in.size());
    const int flush = done + in.size() >= count ? Z_FINISH : Z_NO_FLUSH;
    do {
      stream.next_out = out.data();
      stream.avail_out = static_cast<unsigned>(out.size());
      deflate(&stream, flush);
      all.append(reinterpret_cast<const char*>(out.data()), out.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return all;
}

// One chunk of about 1 MiB, whose stream inflates to a GiB.
Write inflate_bomb(const char* name,
                   const std::vector<hsize_t>& shape,
                   const std::vector<hsize_t>& chunk,
                   hid_t type) {
  return with(name, [shape, chunk, type](hid_t file, const char* key) {
    const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data());
    H5Pset_deflate(creation.get(), 9);
    const std::vector<hsize_t> unlimited(shape.size(), H5S_UNLIMITED);
    const Hid space = shaped(shape, chunk == shape ? shape : unlimited);
    const Hid dataset(
        H5Dcreate2(file, key, type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
        H5Dclose);
    static const std::string bomb = zeros(std::size_t{1} << 30);
    const std::vector<hsize_t> origin(shape.size(), 0);
    ASSERT_GE(
        H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, 0, origin.data(), bomb.size(), bomb.data()), 0);
  });
}

// Overwrites the bytes of the first chunk's entry in the index.
Write patched_chunk(std::size_t before_address, const std::string& bytes) {
  return [before_address, bytes](const Path& path) {
    ForeignArray array;
    array.chunk = {20, 6, 5};
    array.deflate = true;
    write_arrays(path, array, false);
    haddr_t address = 0;
    {
      const Hdf5Session session;
      const Hid file = open_hdf5(session, path);
      const Hid dataset(H5Dopen2(file.get(), "images", H5P_DEFAULT), H5Dclose);
      const hsize_t origin[3] = {0, 0, 0};
      unsigned mask = 0;
      hsize_t size = 0;
      H5Dget_chunk_info_by_coord(dataset.get(), origin, &mask, &address, &size);
    }
    std::string content = read_file(path);
    std::string entry(8, '\0');
    std::memcpy(entry.data(), &address, 8);
    const std::size_t at = content.find(entry);
    ASSERT_NE(at, std::string::npos);
    content.replace(at - before_address, bytes.size(), bytes);
    write_file(path, content);
  };
}

Write cut(double part) {
  return [part](const Path& path) {
    write_foreign(path, {.chunked = true});
    const std::string bytes = read_file(path);
    write_file(path,
               bytes.substr(0, static_cast<std::size_t>(part * static_cast<double>(bytes.size()))));
  };
}

hid_t compound_type() {
  const hid_t type = H5Tcreate(H5T_COMPOUND, 2);
  H5Tinsert(type, "a", 0, H5T_NATIVE_UINT8);
  H5Tinsert(type, "b", 1, H5T_NATIVE_UINT8);
  return type;
}

hid_t text_type(std::size_t size) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  return type;
}

hid_t enumeration_type() {
  const hid_t type = H5Tenum_create(H5T_NATIVE_UINT8);
  const unsigned char one = 1;
  H5Tenum_insert(type, "one", &one);
  return type;
}

hid_t array_type() {
  const hsize_t side = 3;
  return H5Tarray_create2(H5T_NATIVE_UINT8, 1, &side);
}

std::vector<HostileFile> links() {
  const auto soft = [](const char* target) {
    return [target](hid_t file, const char* key) {
      H5Lcreate_soft(target, file, key, H5P_DEFAULT, H5P_DEFAULT);
    };
  };
  const auto external = [](hid_t file, const char* key) {
    H5Lcreate_external("other.h5", "/images", file, key, H5P_DEFAULT, H5P_DEFAULT);
  };
  return {
      {"external_link", link(external), "leaves the file"},
      {"external_link_labels", link(external, "label"), "leaves the file"},
      {"soft_to_external",
       link([external](hid_t file, const char* key) {
         external(file, "door");
         H5Lcreate_soft("door", file, key, H5P_DEFAULT, H5P_DEFAULT);
       }),
       "leaves the file"},
      {"external_group",
       link([](hid_t file, const char* key) {
         H5Lcreate_external("other.h5", "/", file, "door", H5P_DEFAULT, H5P_DEFAULT);
         H5Lcreate_soft("/door/images", file, key, H5P_DEFAULT, H5P_DEFAULT);
       }),
       "leaves the file"},
      {"soft_to_itself", link(soft("images")), "circle"},
      {"soft_pair",
       link([](hid_t file, const char* key) {
         H5Lcreate_soft("/b", file, key, H5P_DEFAULT, H5P_DEFAULT);
         H5Lcreate_soft("/images", file, "b", H5P_DEFAULT, H5P_DEFAULT);
       }),
       "circle"},
      {"soft_growing", link(soft("images/images")), "circle"},
      {"soft_chain",
       link([](hid_t file, const char* key) {
         H5Lcreate_soft("/l0", file, key, H5P_DEFAULT, H5P_DEFAULT);
         for (int i = 0; i < 40; ++i) {
           const std::string from = "l" + std::to_string(i);
           const std::string to = "/l" + std::to_string(i + 1);
           H5Lcreate_soft(to.c_str(), file, from.c_str(), H5P_DEFAULT, H5P_DEFAULT);
         }
       }),
       "circle"},
      {"soft_dangling", link(soft("/nowhere")), "is missing"},
      {"group_as_images",
       link([](hid_t file, const char* key) {
         const Hid group(H5Gcreate2(file, key, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
       }),
       "is it a data set"},
      {"type_as_labels",
       link(
           [](hid_t file, const char* key) {
             const Hid type(H5Tcopy(H5T_STD_U8LE), H5Tclose);
             H5Tcommit2(file, key, type.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
           },
           "label"),
       "is it a data set"},
  };
}

void set_virtual(hid_t creation, const std::vector<hsize_t>& shape, const std::string& file) {
  const Hid space = shaped(shape);
  H5Pset_virtual(creation, space.get(), file.c_str(), "/images", space.get());
}

std::vector<HostileFile> storage() {
  return {
      {"external_storage",
       with_creation(
           "images", {6, 4, 5}, [](hid_t c) { H5Pset_external(c, "/etc/passwd", 0, 120); }),
       "another file"},
      {"external_storage_labels",
       with_creation("label", {6}, [](hid_t c) { H5Pset_external(c, "/etc/passwd", 0, 6); }),
       "another file"},
      {"external_storage_relative",
       with_creation(
           "images", {6, 4, 5}, [](hid_t c) { H5Pset_external(c, "../../x", 0, H5F_UNLIMITED); }),
       "another file"},
      {"virtual",
       with_creation("images",
                     {6, 4, 5},
                     [](hid_t c) {
                       set_virtual(c, {6, 4, 5}, "other.h5");
                     }),
       "virtual"},
      {"virtual_labels",
       with_creation("label", {6}, [](hid_t c) { set_virtual(c, {6}, "other.h5"); }),
       "virtual"},
      {"virtual_in_itself",
       with_creation("images",
                     {6, 4, 5},
                     [](hid_t c) {
                       set_virtual(c, {6, 4, 5}, ".");
                     }),
       "virtual"},
      {"chunk_past_the_end",
       patched_chunk(0, std::string("\x00\x00\x00\x40\x00\x00\x00\x00", 8)),
       "\"images\""},
      {"chunk_at_no_address", patched_chunk(0, std::string(7, '\xff') + "\x7f"), "\"images\""},
      {"chunk_of_4_GiB", patched_chunk(40, "\xff\xff\xff\xff"), "\"images\""},
  };
}

// Images in chunks of two samples with these filters.
Write filtered(const std::function<void(hid_t)>& set) {
  return with_creation("images", {6, 4, 5}, [set](hid_t creation) {
    const hsize_t chunk[3] = {2, 4, 5};
    H5Pset_chunk(creation, 3, chunk);
    set(creation);
  });
}

std::vector<HostileFile> filters() {
  return {
      {"plugin",
       filtered([](hid_t c) { H5Pset_filter(c, 32004, H5Z_FLAG_OPTIONAL, 0, nullptr); }),
       "not built in"},
      {"plugin_of_labels",
       with_creation("label",
                     {6},
                     [](hid_t c) {
                       const hsize_t chunk = 6;
                       H5Pset_chunk(c, 1, &chunk);
                       H5Pset_filter(c, 307, H5Z_FLAG_OPTIONAL, 0, nullptr);
                     }),
       "not built in"},
      {"inflated_twice",
       filtered([](hid_t c) {
         H5Pset_deflate(c, 1);
         H5Pset_deflate(c, 1);
       }),
       "has deflate together"},
      {"inflated_and_nbit",
       filtered([](hid_t c) {
         H5Pset_nbit(c);
         H5Pset_deflate(c, 1);
       }),
       "has deflate together"},
  };
}

// One of 24 chunks of 16 MiB.
Write mostly_unwritten() {
  return with("images", [](hid_t file, const char*) {
    ForeignArray array;
    array.shape = {6, 8192, 8192};
    array.chunk = {1, 2048, 8192};
    array.deflate = true;
    array.rows_written = 0;
    add_array(file, array);
    const Hid dataset(H5Dopen2(file, "images", H5P_DEFAULT), H5Dclose);
    const hsize_t origin[3] = {0, 0, 0};
    const std::string chunk = zeros(std::size_t{16} << 20);
    H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, 0, origin, chunk.size(), chunk.data());
  });
}

// One chunk of 1 KiB of a data set of 24 GiB.
Write part_of_24_gibibytes() {
  return with("images", [](hid_t file, const char*) {
    ForeignArray array;
    array.shape = {6, 65536, 65536};
    array.chunk = {1, 32, 32};
    array.deflate = true;
    array.rows_written = 0;
    add_array(file, array);
    const Hid dataset(H5Dopen2(file, "images", H5P_DEFAULT), H5Dclose);
    const hsize_t origin[3] = {0, 0, 0};
    const std::string chunk = zeros(1024);
    H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, 0, origin, chunk.size(), chunk.data());
  });
}

std::vector<HostileFile> shapes() {
  constexpr hsize_t kHuge = hsize_t{1} << 31;
  return {
      {"terabyte", of_shape({1 << 20, 1024, 1024}), "no bytes were ever written"},
      {"terabyte_of_chunks",
       of_shape({1 << 20, 1024, 1024}, {1, 1024, 1024}, true),
       "expected 1048576 beside"},
      {"more_than_memory", of_shape({kHuge, kHuge, kHuge}, {1, 64, 64}), "larger than any file"},
      {"two_to_the_62", of_shape({kHuge, kHuge}, {1, 64}), "(N, H, W)"},
      {"too_many_chunks", of_shape({kHuge, 4, 4}, {1, 4, 4}), "chunks"},
      {"wide", of_shape({1, 1, 70000}), "70000"},
      {"gigabyte_chunk", of_shape({4, 16384, 16384}, {4, 16384, 16384}, true), "inflate"},
      {"labels_gigabyte_chunk",
       with("label",
            [](hid_t file, const char* key) {
              const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
              const hsize_t chunk = hsize_t{1} << 28;
              const hsize_t unlimited = H5S_UNLIMITED;
              H5Pset_chunk(creation.get(), 1, &chunk);
              create(file, key, H5T_STD_I64LE, shaped({6}, {unlimited}), creation.get());
            }),
       "inflate"},
      {"nine_dimensions", of_shape({2, 1, 1, 1, 1, 1, 1, 1, 1}), "9 dimensions"},
      {"two_dimensions", of_shape({6, 20}), "(N, H, W)"},
      {"two_channels", of_shape({6, 4, 5, 2}), "1 or 3"},
      {"no_samples", of_shape({0, 4, 5}), "no samples"},
      {"scalar",
       with("images",
            [](hid_t file, const char* key) {
              create(file, key, H5T_STD_U8LE, Hid(H5Screate(H5S_SCALAR), H5Sclose));
            }),
       "0 dimensions"},
      {"null_space",
       with("images",
            [](hid_t file, const char* key) {
              create(file, key, H5T_STD_U8LE, Hid(H5Screate(H5S_NULL), H5Sclose));
            }),
       "0 dimensions"},
      {"inflates_to_a_gigabyte",
       inflate_bomb("images", {6, 512, 341}, {6, 512, 341}, H5T_STD_U8LE),
       "inflates to another size",
       true},
      {"labels_inflate_to_a_gigabyte",
       inflate_bomb("label", {6}, {1 << 17}, H5T_STD_I64LE),
       "chunk"},
      {"mostly_unwritten", mostly_unwritten(), "made to look large"},
      {"part_of_24_gibibytes", part_of_24_gibibytes(), "made to look large"},
  };
}

std::vector<HostileFile> types() {
  return {
      {"variable_length",
       of_type("images", [] { return H5Tvlen_create(H5T_NATIVE_UINT8); }, {6, 4, 5}),
       "variable-length"},
      {"variable_length_labels",
       of_type("label", [] { return H5Tvlen_create(H5T_NATIVE_INT); }, {6}),
       "variable-length"},
      {"variable_text_labels",
       of_type("label", [] { return text_type(H5T_VARIABLE); }, {6}),
       "variable-length"},
      {"text_labels", of_type("label", [] { return text_type(9); }, {6}), "text"},
      {"compound", of_type("images", compound_type, {6, 4, 5}), "compound"},
      {"compound_labels", of_type("label", compound_type, {6}), "compound"},
      {"reference_labels",
       of_type("label", [] { return H5Tcopy(H5T_STD_REF_OBJ); }, {6}),
       "reference"},
      {"region_labels",
       of_type("label", [] { return H5Tcopy(H5T_STD_REF_DSETREG); }, {6}),
       "reference"},
      {"enumeration", of_type("images", enumeration_type, {6, 4, 5}), "enumeration"},
      {"array_elements", of_type("images", array_type, {6, 4, 5}), "array"},
      {"opaque", of_type("images", [] { return H5Tcreate(H5T_OPAQUE, 1); }, {6, 4, 5}), "opaque"},
      {"bit_field_labels",
       of_type("label", [] { return H5Tcopy(H5T_STD_B8LE); }, {6}),
       "bit field"},
      {"float_images",
       of_type("images", [] { return H5Tcopy(H5T_IEEE_F32LE); }, {6, 4, 5}),
       "\"images\""},
      {"float_labels", of_type("label", [] { return H5Tcopy(H5T_IEEE_F64LE); }, {6}), "\"label\""},
  };
}

std::vector<HostileFile> facts() {
  const auto labels = [](const ForeignOptions& options) {
    return [options](const Path& path) { write_foreign(path, options); };
  };
  return {
      {"labels_too_few", labels({.num_labels = 5}), "has 5 entries"},
      {"labels_too_many", labels({.num_labels = 700}), "has 700 entries"},
      {"label_below_zero", labels({.label_offset = -1}), "label -1"},
      {"label_of_millions", labels({.label_offset = 1 << 22}), "label"},
      {"attribute_of_a_megabyte",
       attribute([](hid_t file) { add_numbers(file, "big", 1 << 20); }),
       "64 KiB"},
      {"classes_of_five_megabytes",
       attribute([](hid_t file) { add_numbers(file, "classes", 5 << 20); }),
       "4096 KiB"},
      {"two_thousand_attributes",
       attribute([](hid_t file) {
         for (int i = 0; i < 2000; ++i) add_numbers(file, "a" + std::to_string(i), 1);
       }),
       "2000 root attributes"},
      {"claims_to_be_ours",
       attribute([](hid_t file) { add_numbers(file, "lockstep_format", 1); }),
       "attributes_crc32c"},
      {"empty", [](const Path& path) { write_file(path, ""); }, "empty"},
      {"no_hdf5",
       [](const Path& path) { write_file(path, std::string(4096, 'x')); },
       "not an HDF5 file"},
      {"signature_alone", [](const Path& path) { write_file(path, "\x89HDF\r\n\x1a\n"); }, "h5"},
      {"cut_in_the_header", cut(0.02), "h5"},
      {"cut_in_half", cut(0.5), "h5"},
      {"cut_at_the_end", cut(0.99), "h5"},
  };
}

}  // namespace

std::vector<HostileFile> crash_files() {
  const auto circle = [](char kind, std::size_t key_bytes) {
    return [kind, key_bytes](const Path& path) {
      ForeignArray array;
      array.chunk = {2, 6, 5};
      write_arrays(path, array, false);
      std::string bytes = read_file(path);
      const std::uint64_t node = bytes.find(std::string("TREE") + kind);
      ASSERT_NE(node, std::string::npos);
      bytes[node + 5] = 1;
      std::memcpy(bytes.data() + node + 24 + key_bytes, &node, sizeof node);
      write_file(path, bytes);
    };
  };
  return {{"names_in_a_circle", circle('\0', 8), "crashed"},
          {"chunks_in_a_circle", circle('\1', 40), "crashed"}};
}

std::vector<HostileFile> hostile_files() {
  std::vector<HostileFile> all;
  for (auto&& part : {links(), storage(), filters(), shapes(), types(), facts()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace lockstep::data
