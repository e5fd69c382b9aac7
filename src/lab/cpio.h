// Writing an initramfs: the "newc" cpio format that the kernel unpacks at boot.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hap::lab {

// Everything belongs to root and has time 0, so that equal content gives equal bytes.
class CpioWriter {
 public:
  void add_folder(const std::string& path, unsigned permissions = 0755);
  void add_file(const std::string& path, std::string_view content, unsigned permissions = 0644);
  void add_link(const std::string& path, const std::string& target);
  void add_character_device(const std::string& path, unsigned major, unsigned minor,
                            unsigned permissions = 0600);
  // The archive, closed. The writer is spent afterwards.
  std::string finish();

 private:
  void add(const std::string& path, unsigned mode, std::string_view content, unsigned major = 0,
           unsigned minor = 0);
  std::string bytes_;
  uint32_t inode_ = 0;
};

}  // namespace hap::lab
