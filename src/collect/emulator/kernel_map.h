// Which image a kernel address belongs to: the kernel itself, a module, or code made at run time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hap/recording.h"
#include "hap/result.h"

namespace hap::collect {

class KernelMap {
 public:
  // `description`: JSON of the kernel as the lab's agent reports it ({"build_id", "modules": [{"name",
  // "address", "build_id", "sections": {NAME: ADDRESS}}]}, addresses as "0x..." strings). `kallsyms`: the
  // text of /proc/kallsyms, which tells how far each module's text reaches. Both should be read after the
  // run, so that modules loaded by it are known.
  static Result<KernelMap> build(std::string_view description, std::string_view kallsyms);

  struct Place {
    size_t image = 0;      // index into images()
    uint64_t address = 0;  // as recordings store it
  };
  Place place(uint64_t address) const;

  // Without ids. The first is the kernel.
  const std::vector<Image>& images() const { return images_; }

 private:
  struct Range {
    uint64_t begin;
    uint64_t end;
    size_t image;
    uint64_t base;  // subtracted from addresses
  };
  std::vector<Image> images_;
  std::vector<Range> ranges_;  // sorted, disjoint
  size_t run_time_code_ = 0;
  size_t unresolved_ = 0;
};

}  // namespace hap::collect
