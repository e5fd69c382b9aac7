#include "store/cell.h"

#include "store/recorded_names.h"

namespace hap::store {

Result<Cell> open_cell(const std::string& path, const ResolverOptions& options,
                       const IndexProgress& progress) {
  HAP_TRY(recording, Recording::open(path));
  HAP_CHECK(provide_recorded_names(recording, options.cache));
  std::vector<ImageRef> images;
  for (const auto& image : recording.header().images)
    images.push_back({image.kind, image.build_id, image.path});
  HAP_TRY(resolver, Resolver::open(options, images, progress));
  HAP_TRY(profile, Profile::build(recording, resolver));
  return Cell{std::move(recording), std::move(resolver), std::move(profile)};
}

}  // namespace hap::store
