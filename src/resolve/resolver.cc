#include "hap/resolver.h"

#include <filesystem>
#include <map>

#include "resolve/debug_files.h"
#include "resolve/names_index.h"

namespace hap {

namespace {

std::string_view label_of(ImageKind kind) {
  switch (kind) {
    case ImageKind::vdso:
      return "[vdso]";
    case ImageKind::bpf:
      return "[bpf]";
    case ImageKind::trampoline:
      return "[trampoline]";
    case ImageKind::jit:
      return "[jit]";
    case ImageKind::memfd:
      return "[memfd]";
    case ImageKind::kernel:
    case ImageKind::module:
    case ImageKind::user:
    case ImageKind::hypervisor:
    case ImageKind::other:
      break;
  }
  return "[unresolved]";
}

// From the cache, or built into it.
Result<Index> obtain_index(const ResolverOptions& options, const ImageRef& image,
                           const IndexProgress& progress) {
  std::error_code ignored;
  if (!image.build_id.empty()) {
    const std::string cached = index_path(options.cache, image.build_id);
    if (std::filesystem::exists(cached, ignored)) {
      auto index = Index::open(cached);
      // A damaged index is replaced when the file it came from is there; otherwise the damage is the answer.
      if ((index && index->build_id() == image.build_id) || !options.build_missing) return index;
    }
  }
  if (!options.build_missing) return Error("no symbol index for build id " + image.build_id).at(image.path);
  HAP_TRY(files, resolve::find_image_files(image, options.roots, options.debuginfod));
  HAP_TRY(build_id, read_build_id(files.elf));
  const std::string path = index_path(options.cache, build_id);
  if (image.build_id.empty()) {
    auto known = Index::open(path);
    if (known) return known;
  }
  ElfInputs inputs;
  inputs.elf = files.elf;
  inputs.debug_file = files.debug_file;
  inputs.kind = image.kind;
  HAP_TRY(stats, build_index(inputs, path, progress));
  return Index::open(path);
}

// Function names that a live recording brought along.
Result<Index> open_names(const ResolverOptions& options, const ImageRef& image) {
  if (image.build_id.empty()) return Error("an image without a build id").at(image.path);
  HAP_TRY(index, Index::open(resolve::names_index_path(options.cache, image.build_id)));
  if (index.build_id() != image.build_id) return Error("names of another image").at(image.path);
  return index;
}

}  // namespace

struct Resolver::Impl {
  std::vector<ImageKind> kinds;
  std::vector<std::shared_ptr<Index>> indexes;  // null where there is none
  std::vector<Missing> missing;
};

Resolver::Resolver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Resolver::Resolver(Resolver&&) noexcept = default;
Resolver& Resolver::operator=(Resolver&&) noexcept = default;
Resolver::~Resolver() = default;

Result<Resolver> Resolver::open(const ResolverOptions& options, const std::vector<ImageRef>& images,
                                const IndexProgress& progress) {
  auto impl = std::make_unique<Impl>();
  // One file mapped by several processes is one index.
  std::map<std::string, std::shared_ptr<Index>> by_build_id;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const ImageRef& image = images[i];
    impl->kinds.push_back(image.kind);
    impl->indexes.emplace_back();
    if (image.kind > ImageKind::hypervisor) continue;  // no ELF file
    if (const auto known = by_build_id.find(image.build_id);
        !image.build_id.empty() && known != by_build_id.end()) {
      impl->indexes.back() = known->second;
      continue;
    }
    auto index = obtain_index(options, image, progress);
    if (!index) {
      // Names alone are better than nothing.
      if (auto names = open_names(options, image)) index = std::move(names);
    }
    if (!index) {
      impl->missing.push_back({i, index.error()});
      continue;
    }
    impl->indexes.back() = std::make_shared<Index>(std::move(*index));
    if (!image.build_id.empty()) by_build_id[image.build_id] = impl->indexes.back();
  }
  return Resolver(std::move(impl));
}

std::size_t Resolver::image_count() const {
  return impl_->kinds.size();
}

const Index* Resolver::index(std::size_t image) const {
  return image < impl_->indexes.size() ? impl_->indexes[image].get() : nullptr;
}

std::string_view Resolver::label(std::size_t image) const {
  return label_of(image < impl_->kinds.size() ? impl_->kinds[image] : ImageKind::other);
}

void Resolver::resolve(std::size_t image, std::uint64_t address, std::uint64_t size, Resolution& out) const {
  out.index = index(image);
  out.label = {};
  if (out.index != nullptr) {
    out.index->resolve_range(address, size, out.range);
  } else {
    out.range.functions.clear();
    out.range.inlined.clear();
    out.range.lines.clear();
    out.range.resolved_bytes = 0;
    out.range.unresolved_bytes = size;
  }
  if (out.range.functions.empty()) out.label = label(image);
}

const std::vector<Resolver::Missing>& Resolver::missing() const {
  return impl_->missing;
}

}  // namespace hap
