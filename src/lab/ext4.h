// Making ext4 images without mounting anything and without being root.
#pragma once

#include <string>

#include "base/cancel.h"
#include "hap/result.h"

namespace hap::lab {

// An image just large enough for what is in `folder`, owned as there.
Status make_ext4_from_folder(const std::string& folder, const std::string& image, const CancelToken& cancel);

// Unpacks `tar` into `folder` (left there for the caller) and makes the image. A plain user goes through
// fakeroot, so that the owners in the image are those in the archive.
Status make_ext4_from_tar(const std::string& tar, const std::string& folder, const std::string& image,
                          const CancelToken& cancel);

}  // namespace hap::lab
