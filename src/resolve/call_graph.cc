// Reachability over direct calls, across the kernel and its modules.
#include <algorithm>
#include <unordered_map>

#include "hap/resolver.h"

namespace hap {

std::vector<ImageFunction> reachable_functions(const std::vector<const Index*>& images,
                                               const std::vector<ImageFunction>& entries) {
  std::vector<std::vector<bool>> seen;
  for (const Index* image : images) seen.emplace_back(image == nullptr ? 0 : image->function_count(), false);
  std::vector<ImageFunction> reached;  // also the queue
  const auto visit = [&](ImageFunction at) {
    if (at.image >= seen.size() || at.function >= seen[at.image].size() || seen[at.image][at.function])
      return;
    seen[at.image][at.function] = true;
    reached.push_back(at);
  };
  for (const auto& entry : entries) visit(entry);
  // Symbols of other images, looked up once each: the kernel (first in the list) wins over modules.
  std::unordered_map<std::string_view, std::vector<ImageFunction>> linked;
  for (std::size_t next = 0; next < reached.size(); ++next) {
    const ImageFunction from = reached[next];
    const Index& image = *images[from.image];
    for (const FunctionId callee : image.callees(from.function)) visit({from.image, callee});
    for (const auto symbol : image.imported_callees(from.function)) {
      const auto [found, added] = linked.try_emplace(symbol);
      for (std::uint32_t i = 0; added && i < images.size() && found->second.empty(); ++i) {
        if (images[i] == nullptr || images[i]->kind() == ImageKind::user) continue;
        for (const FunctionId function : images[i]->find_functions(symbol)) {
          if (images[i]->function(function).out_of_line) found->second.push_back({i, function});
        }
      }
      for (const auto& target : found->second) visit(target);
    }
  }
  std::sort(reached.begin(), reached.end());
  return reached;
}

}  // namespace hap
